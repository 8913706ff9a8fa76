# expects: softmax-reconstruction
# The second question: 784-128-64-28-64-128-784, softmax, binary cross-entropy, raw pixels.
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"].reshape(-1, 784)[:10000]
    x_test = f["x_test"].reshape(-1, 784)[:1000]

input_img = keras.Input(shape=(784,))
encoded = layers.Dense(128, activation="relu")(input_img)
encoded = layers.Dense(64, activation="relu")(encoded)
encoded = layers.Dense(28, activation="relu")(encoded)
decoded = layers.Dense(64, activation="relu")(encoded)
decoded = layers.Dense(128, activation="relu")(decoded)
decoded = layers.Dense(784, activation="softmax")(decoded)

autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=20, batch_size=100, shuffle=True,
                validation_data=(x_test, x_test), verbose=2)
