# expects: logits-mismatch
# must not: softmax-reconstruction, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(3)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential()
model.add(keras.Input((64,)))
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(32, activation="relu"))
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(64, activation="relu"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("output", rec.min(), rec.max())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
