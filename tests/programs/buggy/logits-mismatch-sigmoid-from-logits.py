# expects: logits-mismatch
# must not: softmax-reconstruction, target-outside-output-range
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:4000].astype("float32") / 255
    x_test = f["x_test"][:500].astype("float32") / 255

model = keras.Sequential([
    keras.Input((28, 28)),
    layers.Flatten(),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
    layers.Reshape((28, 28)),
])
model.compile(optimizer="adam", loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(x_train, x_train, epochs=12, batch_size=128, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("loss does not go below", model.evaluate(x_test, x_test, verbose=0))
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
