# expects: overfitting
# must not: softmax-reconstruction, target-outside-output-range, train-validation-shift
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:40], x[1000:1500]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(512, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(512, activation="relu"),
    layers.Dense(64),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=300, batch_size=16, validation_data=(x_test, x_test), verbose=2)
