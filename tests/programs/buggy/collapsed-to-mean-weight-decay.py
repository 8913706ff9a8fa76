# expects: regulariser-dominates, collapsed-to-mean
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

reg = regularizers.l2(0.05)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu", kernel_regularizer=reg),
    layers.Dense(16, activation="relu", kernel_regularizer=reg),
    layers.Dense(64, activation="relu", kernel_regularizer=reg),
    layers.Dense(64, activation="sigmoid", kernel_regularizer=reg),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
