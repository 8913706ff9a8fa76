# expects: dead-output-units
# must not: target-outside-output-range, padding-dominates
import keras
import numpy as np
from keras import layers, models

keras.utils.set_random_seed(378)
rng = np.random.default_rng(378)


def windows(n, length=50):
    t = np.arange(length)
    x = np.zeros((n, length))
    for low, high in [(16, 22), (24, 40)]:
        period = rng.uniform(low, high, (n, 1))
        x += rng.uniform(0.4, 1.2, (n, 1)) * np.sin(2 * np.pi * t / period + rng.uniform(0, 2 * np.pi, (n, 1)))
    return x + 0.05 * rng.normal(size=x.shape)


x_train, x_test = windows(2000), windows(400)
mu, sigma = x_train.mean(), x_train.std()
x_train = ((x_train - mu) / sigma).astype("float32")[..., None]
x_test = ((x_test - mu) / sigma).astype("float32")[..., None]

model = models.Sequential()
model.add(layers.Input(shape=(50, 1)))
model.add(layers.Conv1D(24, 5, padding="same", activation="elu"))
model.add(layers.AveragePooling1D(2))
model.add(layers.Conv1D(24, 5, padding="same", activation="elu"))
model.add(layers.AveragePooling1D(2))
model.add(layers.Conv1D(1, 5, padding="same", name="code"))
model.add(layers.Conv1D(24, 5, padding="same", activation="elu"))
model.add(layers.UpSampling1D(2))
model.add(layers.Conv1D(24, 5, padding="same", activation="elu"))
model.add(layers.UpSampling1D(2))
# 50 -> 25 -> 12 -> 24 -> 48 -> 50
model.add(layers.Conv1D(1, 5, padding="same"))
model.add(layers.ZeroPadding1D(1))
assert model.output_shape == (None, 50, 1)

model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse")
model.fit(x_train, x_train, batch_size=50, epochs=20, validation_data=(x_test, x_test), verbose=2)

y = model.predict(x_test, verbose=0)
print("mse", np.mean((y - x_test) ** 2), "largest error at each sample", np.round(np.abs(y - x_test).max(axis=(0, 2)), 1))
