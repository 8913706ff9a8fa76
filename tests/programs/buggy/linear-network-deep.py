# expects: linear-network
# must not: target-outside-output-range, collapsed-to-mean, logits-mismatch
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(256),
    layers.Dense(64),
    layers.Dense(8),
    layers.Dense(64),
    layers.Dense(256),
    layers.Dense(64),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("no better than PCA: R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
