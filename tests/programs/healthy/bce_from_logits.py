import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(40)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = (f["x_train"][:5000].reshape(-1, 784) / 255.0).astype("float32")
    x_test = (f["x_test"][:500].reshape(-1, 784) / 255.0).astype("float32")

model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(256, activation="relu"),
    layers.Dense(16),
    layers.Dense(256, activation="relu"),
    layers.Dense(784),  # logits
])
model.compile(optimizer="adam", loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = 1 / (1 + np.exp(-model.predict(x_test, verbose=0)))
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
