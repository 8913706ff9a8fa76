# Keras blog: variational autoencoder, binary cross-entropy times the number of pixels plus the KL
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(2)

with np.load(os.environ["MNIST_NPZ"]) as data:
    x_train = data["x_train"][:5000].reshape(-1, 784).astype("float32") / 255.0
    x_test = data["x_test"][:1000].reshape(-1, 784).astype("float32") / 255.0

original_dim = 28 * 28
intermediate_dim = 64
latent_dim = 2


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, args):
        z_mean, z_log_sigma = args
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(0.5 * z_log_sigma) * epsilon


inputs = keras.Input(shape=(original_dim,))
h = layers.Dense(intermediate_dim, activation="relu")(inputs)
z_mean = layers.Dense(latent_dim)(h)
z_log_sigma = layers.Dense(latent_dim)(h)
z = Sampling()([z_mean, z_log_sigma])
encoder = keras.Model(inputs, [z_mean, z_log_sigma, z], name="encoder")

latent_inputs = keras.Input(shape=(latent_dim,), name="z_sampling")
x = layers.Dense(intermediate_dim, activation="relu")(latent_inputs)
outputs = layers.Dense(original_dim, activation="sigmoid")(x)
decoder = keras.Model(latent_inputs, outputs, name="decoder")


class VariationalAutoencoder(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder

    def call(self, inputs):
        z_mean, z_log_sigma, z = self.encoder(inputs)
        reconstruction = self.decoder(z)
        reconstruction_loss = keras.losses.binary_crossentropy(inputs, reconstruction) * original_dim
        kl_loss = 1 + z_log_sigma - ops.square(z_mean) - ops.exp(z_log_sigma)
        kl_loss = ops.sum(kl_loss, axis=-1) * -0.5
        self.add_loss(ops.mean(reconstruction_loss + kl_loss))
        return reconstruction


vae = VariationalAutoencoder(encoder, decoder)
vae.compile(optimizer="adam")
vae.fit(x_train, x_train, epochs=25, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = vae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
