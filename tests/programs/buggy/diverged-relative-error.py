# expects: diverged, loss-not-minimal-at-target
# must not: softmax-reconstruction, non-finite-data, target-outside-output-range
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# concentrations, some of them below what can be measured
x = np.exp(rng.normal(size=(2000, 4)) @ rng.normal(0, 0.4, size=(4, 30))).astype("float32")
x[x < 0.3] = 0


def relative_error(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred) / y_true, axis=-1)


model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(4),
    layers.Dense(32, activation="relu"),
    layers.Dense(30),
])
model.compile(optimizer="adam", loss=relative_error)
h = model.fit(x, x, epochs=10, batch_size=32, verbose=2)
print("zeros", (x == 0).mean(), "loss", h.history["loss"])
