# expects: kl-scale-mismatch, posterior-collapse
# must not: kl-formula, sampling-scale, activated-heads
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].astype("float32").reshape(-1, 28, 28, 1) / 255
    x_test = f["x_test"][:500].astype("float32").reshape(-1, 28, 28, 1) / 255


class VAE(keras.Model):
    def __init__(self, latent_dim=16, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.encoder = keras.Sequential([
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(2 * latent_dim),
        ])
        self.decoder = keras.Sequential([
            layers.Dense(256, activation="relu"),
            layers.Dense(784, activation="sigmoid"),
            layers.Reshape((28, 28, 1)),
        ])
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x):
        mean, logvar = ops.split(self.encoder(x), 2, axis=-1)
        eps = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        z = eps * ops.exp(logvar * 0.5) + mean
        kl = -0.5 * ops.mean(ops.sum(1 + logvar - mean**2 - ops.exp(logvar), axis=1))
        self.add_loss(kl)
        return self.decoder(z)


vae = VAE()
vae.compile(optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.BinaryCrossentropy())
vae.fit(x_train, x_train, epochs=15, batch_size=64, verbose=2)

rec = vae.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
