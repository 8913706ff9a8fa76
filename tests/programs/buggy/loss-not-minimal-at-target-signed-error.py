# expects: loss-not-minimal-at-target
# must not: learning-rate-out-of-range, target-not-input
import keras
from keras import layers, ops
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_wine().data).astype("float32")


def reconstruction_error(y_true, y_pred):
    # forgot the square
    return ops.mean(y_true - y_pred, axis=-1)


model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(10, activation="tanh"),
    layers.Dense(4),
    layers.Dense(10, activation="tanh"),
    layers.Dense(13),
])
model.compile(optimizer="adam", loss=reconstruction_error)
model.fit(X, X, epochs=50, batch_size=16, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
