# expects: learning-rate-out-of-range, collapsed-to-mean
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].astype("float32") / 255
    x_test = f["x_test"][:500].astype("float32") / 255

# SGD's default of 0.01 with an error averaged over 784 pixels hardly moves anything
model = keras.Sequential([
    keras.Input((28, 28)),
    layers.Flatten(),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
    layers.Reshape((28, 28)),
])
model.compile(optimizer="sgd", loss="mse")
model.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
