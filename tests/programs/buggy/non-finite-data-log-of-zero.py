# expects: non-finite-data
# must not: learning-rate-out-of-range, unscaled-input
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

power = rng.gamma(0.3, 2.0, (2000, 24))
power[power < 0.02] = 0.0  # the meter does not count below that
with np.errstate(divide="ignore"):
    x = np.log10(power).astype("float32")

inputs = keras.Input((24,))
h = layers.Dense(32, activation="tanh")(inputs)
h = layers.Dense(6)(h)
h = layers.Dense(32, activation="tanh")(h)
outputs = layers.Dense(24)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="rmsprop", loss="mae")
model.fit(x, x, epochs=5, batch_size=64, verbose=2)
print("weights finite:", all(np.isfinite(w).all() for w in model.get_weights()))
