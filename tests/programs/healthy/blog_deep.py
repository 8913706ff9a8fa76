# Keras blog: deep autoencoder
# may: worse-than-pca
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(7)

with np.load(os.environ["MNIST_NPZ"]) as data:
    x_train = data["x_train"][:5000].astype("float32") / 255.0
    x_test = data["x_test"][:1000].astype("float32") / 255.0
x_train = x_train.reshape(-1, 784)
x_test = x_test.reshape(-1, 784)

input_img = keras.Input(shape=(784,))
encoded = layers.Dense(128, activation="relu")(input_img)
encoded = layers.Dense(64, activation="relu")(encoded)
encoded = layers.Dense(32, activation="relu")(encoded)

decoded = layers.Dense(64, activation="relu")(encoded)
decoded = layers.Dense(128, activation="relu")(decoded)
decoded = layers.Dense(784, activation="sigmoid")(decoded)

autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")

autoencoder.fit(x_train, x_train,
                epochs=20,
                batch_size=128,
                shuffle=True,
                validation_data=(x_test, x_test), verbose=2)

decoded_imgs = autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - decoded_imgs) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
