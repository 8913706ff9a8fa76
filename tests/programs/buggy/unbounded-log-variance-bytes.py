# expects: unbounded-log-variance, unscaled-input, diverged
# must not: kl-formula, sampling-scale, posterior-collapse
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32")


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.enc = layers.Dense(256, activation="relu")
        self.mu = layers.Dense(8)
        self.log_var = layers.Dense(8)
        self.dec = layers.Dense(256, activation="relu")
        self.out = layers.Dense(784)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x):
        h = self.enc(x)
        mu, log_var = self.mu(h), self.log_var(h)
        z = mu + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        self.add_loss(0.5 * ops.mean(ops.sum(ops.exp(log_var) + mu**2 - 1 - log_var, axis=1)))
        return self.out(self.dec(z))


vae = VAE()
vae.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
h = vae.fit(x_train, x_train, epochs=5, batch_size=64, verbose=2)
print("loss nan?", h.history["loss"])
