# expects: collapsed-to-mean, learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential()
model.add(keras.Input((64,)))
for units in (48, 32, 16, 8, 16, 32, 48):
    model.add(layers.Dense(units, activation="sigmoid"))
model.add(layers.Dense(64, activation="sigmoid"))
model.compile(optimizer="sgd", loss="mse")
model.fit(x_train, x_train, epochs=60, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("every output is the same, std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
