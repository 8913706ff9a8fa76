# spectra are never negative, so a relu output is fine
# may: worse-than-pca
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(51)
rng = np.random.default_rng(51)

bands = np.arange(100)
peaks = np.stack([np.exp(-((bands - c) ** 2) / (2 * w**2)) for c, w in
                  zip(rng.uniform(10, 90, 6), rng.uniform(4, 10, 6))])
amount = rng.gamma(2.0, 0.5, (2000, 6))
spectra = (amount @ peaks + 0.02 * np.abs(rng.normal(size=(2000, 100)))).astype("float32")
train, test = spectra[:1600], spectra[1600:]

inp = keras.Input((100,))
h = layers.Dense(64, activation="relu")(inp)
code = layers.Dense(6, activation="softplus")(h)
h = layers.Dense(64, activation="relu")(code)
out = layers.Dense(100, activation="relu", bias_initializer="ones")(h)
model = keras.Model(inp, out)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
model.fit(train, train, epochs=40, batch_size=32, validation_data=(test, test), verbose=2)

rec = model.predict(test, verbose=0)
print("R2", 1 - ((test - rec) ** 2).sum() / ((test - test.mean(0)) ** 2).sum())
