# expects: train-validation-shift
# must not: softmax-reconstruction, overfitting
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train, x_test = f["x_train"][:3000], f["x_test"][:500]

x_train = x_train.astype("float32") / 255.0
x_test = x_test.astype("float32")
x_train = x_train.reshape(-1, 784)
x_test = x_test.reshape(-1, 784)

model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)
