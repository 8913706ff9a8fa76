# beta-VAE with beta = 4: some latents are allowed to fall asleep
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(30)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:5000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

BETA = 4.0
LATENT = 6


class BetaVAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = layers.Dense(128, activation="relu")
        self.mu = layers.Dense(LATENT)
        self.logvar = layers.Dense(LATENT)
        self.dec = layers.Dense(128, activation="relu")
        self.out = layers.Dense(784, activation="sigmoid")
        self.seed_generator = keras.random.SeedGenerator(5)

    def call(self, x, training=False):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu
        if training:
            z = mu + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        kl = 0.5 * ops.sum(ops.exp(logvar) + ops.square(mu) - 1.0 - logvar, axis=1)
        self.add_loss(BETA * ops.mean(kl))
        return self.out(self.dec(z))


def bce_sum(y_true, y_pred):
    y_pred = ops.clip(y_pred, 1e-7, 1 - 1e-7)
    return -ops.sum(y_true * ops.log(y_pred) + (1 - y_true) * ops.log(1 - y_pred), axis=-1)


model = BetaVAE()
model.compile(optimizer=keras.optimizers.Adam(0.002), loss=bce_sum)
model.fit(x_train, x_train, epochs=20, batch_size=64, verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
