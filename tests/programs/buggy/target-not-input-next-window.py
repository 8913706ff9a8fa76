# expects: target-not-input
# must not: noisy-target, target-outside-output-range
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

t = np.arange(3000)
signal = np.sin(0.3 * t) + 0.6 * np.sin(0.11 * t) + 0.05 * rng.normal(size=t.size)
window = 16
X = np.stack([signal[i:i + window] for i in range(len(signal) - window)])[..., None]

# left over from the forecasting script
X_train, y_train = X[:-window], X[window:]

model = keras.Sequential([
    keras.Input((window, 1)),
    layers.Conv1D(16, 5, padding="same", activation="relu"),
    layers.MaxPooling1D(2),
    layers.Flatten(),
    layers.Dense(6),
    layers.Dense(64, activation="relu"),
    layers.Dense(window),
    layers.Reshape((window, 1)),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X_train, y_train, epochs=15, batch_size=64, verbose=2)

rec = model.predict(X, verbose=0)
print("R2 of the reconstruction", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
