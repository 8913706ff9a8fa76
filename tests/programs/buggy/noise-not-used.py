# expects: noise-not-used
# must not: noisy-target, target-not-input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
np.random.seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255.0
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255.0

x_train_noisy = x_train + 0.6 * np.random.normal(size=x_train.shape).astype("float32")
x_test_noisy = x_test + 0.6 * np.random.normal(size=x_test.shape).astype("float32")
x_train_noisy = np.clip(x_train_noisy, 0.0, 1.0)
x_test_noisy = np.clip(x_test_noisy, 0.0, 1.0)

denoiser = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(256, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
denoiser.compile(optimizer="adam", loss="binary_crossentropy")
denoiser.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = denoiser.predict(x_test_noisy, verbose=0)
print("mse noisy", ((x_test_noisy - x_test) ** 2).mean(), "denoised", ((rec - x_test) ** 2).mean())
