# expects: tiny-variance, unscaled-input, collapsed-to-mean, output-range-wider-than-target
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch
import os

import keras
import numpy as np
from keras import layers


def load():
    with np.load(os.environ["MNIST_NPZ"]) as f:
        return f["x_train"][:3000].reshape(-1, 784) / 255.0, f["x_test"][:500].reshape(-1, 784) / 255.0


keras.utils.set_random_seed(0)
x_train, x_test = load()
x_train = x_train.astype("float32") / 255.0  # the second time
x_test = x_test.astype("float32") / 255.0

model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=12, batch_size=64, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("loss", ((x_test - rec) ** 2).mean(), "R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
