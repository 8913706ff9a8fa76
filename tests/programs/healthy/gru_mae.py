import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(36)
rng = np.random.default_rng(36)

n, steps = 1500, 16
slope = rng.normal(0, 1, (n, 1, 3))
start = rng.normal(0, 1, (n, 1, 3))
t = np.linspace(0, 1, steps)[None, :, None]
x = (start + slope * t + 0.3 * np.sin(6 * t * slope)).astype("float32")
x_train, x_test = x[:1200], x[1200:]

inputs = keras.Input((steps, 3))
h = layers.GRU(32, return_sequences=True)(inputs)
h = layers.GRU(12)(h)
h = layers.RepeatVector(steps)(h)
h = layers.GRU(32, return_sequences=True)(h)
outputs = layers.Dense(3)(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mae")
model.fit(x_train, x_train, epochs=25, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
