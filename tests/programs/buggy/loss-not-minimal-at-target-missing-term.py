# expects: loss-not-minimal-at-target
# must not: softmax-reconstruction, target-not-input
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255


def cross_entropy(y_true, y_pred):
    y_pred = ops.clip(y_pred, 1e-7, 1.0)
    return -ops.mean(y_true * ops.log(y_pred), axis=-1)


model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
model.compile(optimizer="adam", loss=cross_entropy)
model.fit(x_train, x_train, epochs=10, batch_size=64, verbose=2)

rec = model.predict(x_test, verbose=0)
print("my decoder's outputs are all ones:", rec.min(), rec.max())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
