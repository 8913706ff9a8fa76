# denoising autoencoder whose corruption is a Dropout on the input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(25)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:4000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

inputs = keras.Input(shape=(784,))
h = layers.Dropout(0.3)(inputs)
h = layers.Dense(256, activation="relu")(h)
h = layers.Dense(256, activation="relu")(h)
outputs = layers.Dense(784, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
