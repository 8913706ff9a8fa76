# Keras blog: a sparsity constraint on the encoded representations
# may: worse-than-pca
import os

import keras
import numpy as np
from keras import layers, regularizers

keras.utils.set_random_seed(1)

with np.load(os.environ["MNIST_NPZ"]) as data:
    x_train = data["x_train"][:6000].astype("float32") / 255.0
    x_test = data["x_test"][:1000].astype("float32") / 255.0
x_train = x_train.reshape(len(x_train), -1)
x_test = x_test.reshape(len(x_test), -1)

encoding_dim = 32

input_img = keras.Input(shape=(784,))
encoded = layers.Dense(encoding_dim, activation="relu",
                       activity_regularizer=regularizers.l1(10e-8))(input_img)
decoded = layers.Dense(784, activation="sigmoid")(encoded)

autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=20, batch_size=256, shuffle=True,
                validation_data=(x_test, x_test), verbose=2)

decoded_imgs = autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - decoded_imgs) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
