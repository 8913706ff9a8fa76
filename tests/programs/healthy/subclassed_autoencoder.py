# the style of TensorFlow's intro tutorial: a subclass with an encoder and a decoder
# may: worse-than-pca
import os

import keras
import numpy as np
from keras import layers, losses
from keras.models import Model

keras.utils.set_random_seed(46)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:5000].astype("float32") / 255.0
    x_test = f["x_test"][:500].astype("float32") / 255.0


class Autoencoder(Model):
    def __init__(self, latent_dim, shape):
        super(Autoencoder, self).__init__()
        self.latent_dim = latent_dim
        self.shape = shape
        self.encoder = keras.Sequential([
            layers.Flatten(),
            layers.Dense(latent_dim, activation="relu"),
        ])
        self.decoder = keras.Sequential([
            layers.Dense(784, activation="sigmoid"),
            layers.Reshape(shape),
        ])

    def call(self, x):
        encoded = self.encoder(x)
        decoded = self.decoder(encoded)
        return decoded


autoencoder = Autoencoder(64, x_test.shape[1:])
autoencoder.compile(optimizer="adam", loss=losses.MeanSquaredError())
autoencoder.fit(x_train, x_train, epochs=15, shuffle=True, validation_data=(x_test, x_test), verbose=2)

rec = autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
