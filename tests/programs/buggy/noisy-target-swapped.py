# expects: noisy-target
# must not: target-not-input, softmax-reconstruction
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
np.random.seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255.0
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255.0

noise_factor = 0.5
x_train_noisy = np.clip(x_train + noise_factor * np.random.normal(size=x_train.shape), 0.0, 1.0)
x_test_noisy = np.clip(x_test + noise_factor * np.random.normal(size=x_test.shape), 0.0, 1.0)

autoencoder = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(784, activation="sigmoid"),
])
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(x_train, x_train_noisy, epochs=15, batch_size=64,
                validation_data=(x_test, x_test_noisy), verbose=2)

rec = autoencoder.predict(x_test_noisy, verbose=0)
print("mse noisy", ((x_test_noisy - x_test) ** 2).mean(), "denoised", ((rec - x_test) ** 2).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
