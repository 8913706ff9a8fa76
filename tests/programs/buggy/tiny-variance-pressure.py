# expects: tiny-variance
# must not: softmax-reconstruction, accuracy-on-reconstruction
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# air pressure in hPa over a day: 1013 plus or minus a few
hours = np.arange(24)
pressure = 1013 + np.cumsum(rng.normal(0, 0.4, (2000, 24)), axis=1) + rng.normal(0, 3, (2000, 1))
x = (pressure / 1100.0).astype("float32")
x_train, x_test = x[:1600], x[1600:]

model = keras.Sequential([
    keras.Input((24,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(4, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(24, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=30, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("loss is tiny:", ((x_test - rec) ** 2).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
