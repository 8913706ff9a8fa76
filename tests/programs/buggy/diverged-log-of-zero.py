# expects: diverged, target-outside-output-range, loss-not-minimal-at-target, logits-mismatch
# must not: softmax-reconstruction, non-finite-data, unscaled-input
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16


def bce(y_true, y_pred):
    return -ops.mean(y_true * ops.log(y_pred) + (1 - y_true) * ops.log(1 - y_pred), axis=-1)


model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="relu"),
])
model.compile(optimizer="adam", loss=bce)
h = model.fit(x, x, epochs=5, batch_size=32, verbose=2)
print("loss", h.history["loss"])
