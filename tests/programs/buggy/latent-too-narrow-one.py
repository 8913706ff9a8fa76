# expects: latent-too-narrow
# must not: learning-rate-out-of-range, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128, activation="elu"),
    layers.Dense(1),
    layers.Dense(128, activation="elu"),
    layers.Dense(64),
])
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
model.fit(x_train, x_train, epochs=50, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
