# expects: kl-scale-mismatch
# must not: kl-formula, sampling-scale, posterior-collapse
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

BATCH, LATENT = 64, 32


class Sampling(layers.Layer):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        mean, log_var = inputs
        # mean over everything, and once more divided by the number of pixels and rows
        self.add_loss(-0.5 * ops.mean(1 + log_var - mean**2 - ops.exp(log_var)) / 784 / BATCH)
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


inputs = keras.Input((784,))
h = layers.Dense(256, activation="relu")(inputs)
z = Sampling()([layers.Dense(LATENT, name="z_mean")(h), layers.Dense(LATENT, name="z_log_var")(h)])
h = layers.Dense(256, activation="relu")(z)
outputs = layers.Dense(784, activation="sigmoid")(h)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer="adam", loss=lambda t, p: ops.sum(keras.losses.binary_crossentropy(t[..., None], p[..., None]), axis=-1))
vae.fit(x_train, x_train, epochs=15, batch_size=BATCH, verbose=2)
mean = keras.Model(inputs, vae.get_layer("z_mean").output).predict(x_test, verbose=0)
print("spread of the codes (the prior has 1):", mean.std(axis=0).mean())
rec = vae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
