# expects: target-outside-output-range
# must not: unscaled-input, recurrent-output
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

returns = rng.normal(0, 1, (2000, 1)) * np.linspace(0.5, 1.5, 30) + rng.normal(0, 0.3, (2000, 30))
returns = returns[..., None].astype("float32")

model = keras.Sequential([
    layers.Input((30, 1)),
    layers.Conv1D(16, 3, padding="same", activation="relu"),
    layers.MaxPooling1D(2),
    layers.Conv1D(8, 3, padding="same", activation="relu"),
    layers.UpSampling1D(2),
    layers.Conv1D(16, 3, padding="same", activation="relu"),
    layers.Conv1D(1, 3, padding="same", activation="relu"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(returns, returns, epochs=15, batch_size=32, verbose=2)

rec = model.predict(returns, verbose=0)
print("lowest output", rec.min(), "lowest value", returns.min())
print("R2", 1 - ((returns - rec) ** 2).sum() / ((returns - returns.mean(0)) ** 2).sum())
