# expects: logits-mismatch, loss-not-minimal-at-target
# must not: kl-formula, sampling-scale, kl-scale-mismatch
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255


class CVAE(keras.Model):
    def __init__(self, latent_dim=8):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(2 * latent_dim)])
        self.decoder = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(784, activation="sigmoid")])
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x):
        mean, logvar = ops.split(self.encoder(x), 2, axis=1)
        z = mean + ops.exp(logvar * 0.5) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        x_logit = self.decoder(z)
        cross_ent = keras.losses.binary_crossentropy(x, x_logit, from_logits=True) * 784
        kl = -0.5 * ops.sum(1 + logvar - mean**2 - ops.exp(logvar), axis=1)
        self.add_loss(ops.mean(cross_ent + kl))
        return x_logit


model = CVAE()
model.compile(optimizer=keras.optimizers.Adam(1e-3))
model.fit(x_train, x_train, epochs=12, batch_size=64, verbose=2)
rec = model.predict(x_test, verbose=0)
print("loss does not go below 784 * log 2 =", 784 * np.log(2))
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
