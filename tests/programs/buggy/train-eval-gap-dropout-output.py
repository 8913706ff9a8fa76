# expects: train-eval-gap
# must not: softmax-reconstruction, target-not-input
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

inputs = keras.Input((64,))
h = layers.Dense(128, activation="relu")(inputs)
h = layers.Dense(16, activation="relu")(h)
h = layers.Dense(128, activation="relu")(h)
h = layers.Dense(64, activation="sigmoid")(h)
outputs = layers.Dropout(0.5)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("too dark: mean output", rec.mean(), "mean pixel", x_test.mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
