# expects: accuracy-on-reconstruction
# The first question: Keras' denoising sample reports an accuracy of 81.25 %.
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"].reshape(-1, 28, 28, 1).astype("float32") / 255
    x_test = f["x_test"].reshape(-1, 28, 28, 1).astype("float32") / 255

noise = np.random.normal(loc=0.5, scale=0.5, size=x_train.shape)
x_train_noisy = np.clip(x_train + noise, 0.0, 1.0).astype("float32")
noise = np.random.normal(loc=0.5, scale=0.5, size=x_test.shape)
x_test_noisy = np.clip(x_test + noise, 0.0, 1.0).astype("float32")

inputs = keras.Input(shape=(28, 28, 1))
x = inputs
for filters in (32, 64):
    x = layers.Conv2D(filters, 3, strides=2, activation="relu", padding="same")(x)
x = layers.Flatten()(x)
latent = layers.Dense(16, name="latent_vector")(x)
x = layers.Dense(7 * 7 * 64)(latent)
x = layers.Reshape((7, 7, 64))(x)
for filters in (64, 32):
    x = layers.Conv2DTranspose(filters, 3, strides=2, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(1, 3, padding="same")(x)
outputs = layers.Activation("sigmoid")(x)

autoencoder = keras.Model(inputs, outputs)
autoencoder.compile(loss="mse", optimizer="adam", metrics=["accuracy"])
autoencoder.fit(x_train_noisy, x_train, validation_data=(x_test_noisy, x_test),
                epochs=30, batch_size=128, verbose=2)
