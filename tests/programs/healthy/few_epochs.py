# a smoke test of two epochs: not finished, but nothing is wrong
# may: worse-than-pca
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(48)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:8000].reshape(-1, 784).astype("float32") / 255

model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(256, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=2, batch_size=32, verbose=2)

rec = model.predict(x_train[-500:], verbose=0)
t = x_train[-500:]
print("R2", 1 - ((t - rec) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
