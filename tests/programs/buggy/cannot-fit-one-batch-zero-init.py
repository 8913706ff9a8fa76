# expects: untrained-part, cannot-fit-one-batch, collapsed-to-mean, dead-units
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

dense = dict(kernel_initializer="zeros", bias_initializer="zeros")
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu", **dense),
    layers.Dense(16, activation="relu", **dense),
    layers.Dense(64, activation="relu", **dense),
    layers.Dense(64, activation="sigmoid", **dense),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
