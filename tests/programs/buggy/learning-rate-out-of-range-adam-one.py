# expects: learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range, unscaled-input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(32, activation="relu")])
        self.decoder = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(784, activation="sigmoid")])

    def call(self, x):
        return self.decoder(self.encoder(x))


ae = Autoencoder()
ae.compile(optimizer=keras.optimizers.Adam(learning_rate=1.0), loss="mse")
ae.fit(x_train, x_train, epochs=10, batch_size=64, verbose=2)
rec = ae.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
