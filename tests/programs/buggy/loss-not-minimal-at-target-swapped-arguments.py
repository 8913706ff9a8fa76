# expects: loss-not-minimal-at-target
# must not: softmax-reconstruction, target-not-input
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class WeightedBCE(keras.losses.Loss):
    def call(self, y_pred, y_true):  # Keras gives y_true first
        y_pred = ops.clip(y_pred, 1e-6, 1 - 1e-6)
        return -ops.mean(2.0 * y_true * ops.log(y_pred) + (1 - y_true) * ops.log(1 - y_pred), axis=-1)


inputs = keras.Input((64,))
h = layers.Dense(64, activation="relu")(inputs)
h = layers.Dense(16, activation="relu")(h)
h = layers.Dense(64, activation="relu")(h)
outputs = layers.Dense(64, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss=WeightedBCE())
model.fit(x_train, x_train, epochs=25, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("only black and white:", ((rec < 0.05) | (rec > 0.95)).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
