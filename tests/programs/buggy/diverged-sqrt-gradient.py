# expects: diverged
# must not: softmax-reconstruction, non-finite-data, target-outside-output-range
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

x = np.maximum(rng.normal(size=(2000, 4)) @ rng.normal(size=(4, 30)), 0).astype("float32")
x[:, :3] = 0


def rmse_per_pixel(y_true, y_pred):
    # the gradient of a square root is infinite at 0
    return ops.mean(ops.sqrt(ops.square(y_true - y_pred)), axis=-1)


model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(4),
    layers.Dense(32, activation="relu"),
    layers.Dense(30, activation="relu"),
])
model.compile(optimizer="adam", loss=rmse_per_pixel)
h = model.fit(x, x, epochs=10, batch_size=32, verbose=2)
print("loss", h.history["loss"])
