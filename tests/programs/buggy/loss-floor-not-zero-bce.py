# expects: loss-floor-not-zero
# must not: softmax-reconstruction, loss-not-minimal-at-target, collapsed-to-mean
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data / 16.0
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(20, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
h = model.fit(x_train, x_train, epochs=50, batch_size=32, validation_data=(x_test, x_test), verbose=2)
# why does it not go to 0? the pictures look fine
print("final loss", h.history["loss"][-1])
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
