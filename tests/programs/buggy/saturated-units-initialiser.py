# expects: saturated-units
# must not: softmax-reconstruction, target-outside-output-range, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

init = keras.initializers.RandomNormal(stddev=5.0)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="sigmoid", kernel_initializer=init),
    layers.Dense(16, activation="sigmoid", kernel_initializer=init),
    layers.Dense(64, activation="sigmoid", kernel_initializer=init),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
