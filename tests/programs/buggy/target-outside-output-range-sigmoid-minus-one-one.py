# expects: target-outside-output-range
# must not: bce-target-outside-unit-interval, unscaled-input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = (f["x_train"][:3000].astype("float32") - 127.5) / 127.5
    x_test = (f["x_test"][:500].astype("float32") - 127.5) / 127.5

encoder_input = keras.Input((28, 28))
x = layers.Flatten()(encoder_input)
x = layers.Dense(128, activation="relu")(x)
code = layers.Dense(32)(x)
encoder = keras.Model(encoder_input, code, name="encoder")

decoder_input = keras.Input((32,))
x = layers.Dense(128, activation="relu")(decoder_input)
x = layers.Dense(784, activation="sigmoid")(x)
decoder = keras.Model(decoder_input, layers.Reshape((28, 28))(x), name="decoder")

autoencoder = keras.Model(encoder_input, decoder(encoder(encoder_input)), name="autoencoder")
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(x_train, x_train, epochs=12, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = autoencoder.predict(x_test, verbose=0)
print("background of the output", rec.min(), "of the images", x_test.min())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
