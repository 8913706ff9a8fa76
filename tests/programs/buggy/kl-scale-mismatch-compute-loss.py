# expects: kl-scale-mismatch, posterior-collapse
# must not: kl-formula, sampling-scale, loss-scales-with-batch
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255


class VAE(keras.Model):
    def __init__(self, latent=10):
        super().__init__()
        self.enc = layers.Dense(128, activation="relu")
        self.z_mean = layers.Dense(latent)
        self.z_log_var = layers.Dense(latent)
        self.dec = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(784, activation="sigmoid")])
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, x):
        h = self.enc(x)
        mean, log_var = self.z_mean(h), self.z_log_var(h)
        z = mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return self.dec(z), mean, log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        rec, mean, log_var = y_pred
        reconstruction_loss = ops.mean(keras.losses.mean_squared_error(x, rec))
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=1)
        return reconstruction_loss + ops.mean(kl)


vae = VAE()
vae.compile(optimizer="adam")
vae.fit(x_train, epochs=15, batch_size=64, verbose=2)
rec = vae.predict(x_test, verbose=0)[0]
print("same image for every input, std", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
