# expects: bce-target-outside-unit-interval, target-outside-output-range
# must not: softmax-reconstruction, accuracy-on-reconstruction
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_breast_cancer().data).astype("float32")
x_train, x_test = X[:450], X[450:]

inp = keras.Input(shape=(30,))
h = keras.layers.Dense(16, activation="relu")(inp)
code = keras.layers.Dense(8, activation="relu")(h)
h = keras.layers.Dense(16, activation="relu")(code)
out = keras.layers.Dense(30, activation="sigmoid")(h)
ae = keras.Model(inp, out)
ae.compile(optimizer="adam", loss="binary_crossentropy")
ae.fit(x_train, x_train, epochs=100, batch_size=32, validation_data=(x_test, x_test), verbose=2)

# why is my loss negative?
rec = ae.predict(x_test, verbose=0)
print("loss", ae.evaluate(x_test, x_test, verbose=0))
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
