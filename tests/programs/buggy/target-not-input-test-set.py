# expects: target-not-input
# must not: noisy-target, softmax-reconstruction
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:800], x[800:1600]

ae = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(48, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(48, activation="relu"),
    layers.Dense(64),
])
ae.compile("adam", "mse")
# copied from fit(x_train, y_train)
ae.fit(x_train, x_test, epochs=50, batch_size=32, verbose=2)
rec = ae.predict(x_train, verbose=0)
print("R2", 1 - ((x_train - rec) ** 2).sum() / ((x_train - x_train.mean(0)) ** 2).sum())
