# expects: softmax-reconstruction
# must not: accuracy-on-reconstruction
import os

import keras
import numpy as np
from keras.layers import Dense, Input
from keras.models import Model

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train, x_test = f["x_train"][:4000], f["x_test"][:500]
x_train = x_train.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
x_train = x_train.reshape(-1, 784)
x_test = x_test.reshape(-1, 784)

inp = Input(shape=(784,))
x = Dense(128, activation="relu")(inp)
x = Dense(64, activation="relu")(x)
x = Dense(128, activation="relu")(x)
out = Dense(784, activation="softmax")(x)

m = Model(inp, out)
m.compile(optimizer="adam", loss="binary_crossentropy")
m.fit(x_train, x_train, epochs=10, batch_size=128, validation_data=(x_test, x_test), verbose=2)

rec = m.predict(x_test, verbose=0)
print("brightest output", rec.max(axis=1).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
