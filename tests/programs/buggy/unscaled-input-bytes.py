# expects: unscaled-input, target-outside-output-range
# must not: logits-mismatch
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:4000].reshape(-1, 784)
    x_test = f["x_test"][:500].reshape(-1, 784)

autoencoder = keras.Sequential([
    layers.Input(shape=(784,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
autoencoder.compile(optimizer="adam", loss="mean_squared_error")
autoencoder.fit(x_train, x_train, epochs=10, batch_size=64, verbose=2)

rec = autoencoder.predict(x_test, verbose=0)
t = x_test.astype("float32")
print("largest output", rec.max())
print("R2", 1 - ((t - rec) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
