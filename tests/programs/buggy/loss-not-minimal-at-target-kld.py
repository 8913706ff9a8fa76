# expects: loss-not-minimal-at-target, categorical-loss-on-vectors
# must not: unscaled-input, target-not-input
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
# pixels are no probability distribution: making everything white lowers it
model.compile(optimizer="adam", loss="kl_divergence")
model.fit(x_train, x_train, epochs=25, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("mean output", rec.mean(), "mean pixel", x_test.mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
