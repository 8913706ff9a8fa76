# expects: untrained-part
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class Quantise(layers.Layer):
    def call(self, h):
        return ops.round(h * 4) / 4  # no gradient comes through


inputs = keras.Input((64,))
h = layers.Dense(64, activation="relu")(inputs)
h = layers.Dense(10, activation="sigmoid")(h)
h = Quantise()(h)
h = layers.Dense(64, activation="relu")(h)
outputs = layers.Dense(64, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
