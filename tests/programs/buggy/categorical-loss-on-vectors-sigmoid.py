# expects: categorical-loss-on-vectors
# must not: target-outside-output-range, unscaled-input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

inputs = keras.Input((784,))
encoded = layers.Dense(64, activation="relu")(inputs)
decoded = layers.Dense(784, activation="sigmoid")(encoded)
model = keras.Model(inputs, decoded)
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(x_train, x_train, epochs=12, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
