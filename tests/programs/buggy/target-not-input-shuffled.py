# expects: target-not-input
# must not: noisy-target, learning-rate-out-of-range
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
np.random.seed(0)

x = load_digits().data.astype("float32") / 16.0
noisy = np.clip(x + np.random.normal(0, 0.2, x.shape), 0, 1).astype("float32")

# shuffle before splitting
noisy = noisy[np.random.permutation(len(noisy))]
x = x[np.random.permutation(len(x))]
split = int(0.8 * len(x))

model = keras.Sequential([
    keras.Input(shape=(64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(noisy[:split], x[:split], epochs=40, batch_size=32,
          validation_data=(noisy[split:], x[split:]), verbose=2)

out = model.predict(noisy[split:], verbose=0)
print("all outputs look the same, std over images:", out.std(axis=0).mean())
t = x[split:]
print("R2", 1 - ((t - out) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
