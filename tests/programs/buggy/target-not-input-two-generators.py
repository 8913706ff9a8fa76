# expects: target-not-input
# must not: noisy-target
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().images.astype("float32")[..., None] / 16
noisy = np.clip(x + 0.2 * np.random.default_rng(0).normal(size=x.shape), 0, 1).astype("float32")


def flow(images, batch_size, seed):
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(len(images))
        for i in range(0, len(order) - batch_size + 1, batch_size):
            yield images[order[i:i + batch_size]]


# the two flows have different seeds
train = zip(flow(noisy, 32, seed=1), flow(x, 32, seed=2))

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Flatten(),
    layers.Dense(64, activation="relu"),
    layers.Dense(16),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
    layers.Reshape((8, 8, 1)),
])
model.compile(optimizer="adam", loss="mse")


def pairs():
    yield from train


model.fit(pairs(), steps_per_epoch=56, epochs=15, verbose=2)
rec = model.predict(noisy, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
