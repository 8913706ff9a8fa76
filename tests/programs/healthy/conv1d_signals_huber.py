import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(39)
rng = np.random.default_rng(39)

# heartbeat-like pulses: a few bumps, an outlier now and then
n, length = 1500, 64
t = np.arange(length)
x = np.zeros((n, length))
for centre, width, height in ((16, 2, 0.3), (30, 1.5, 1.5), (44, 4, 0.5)):
    c = centre + rng.normal(0, 2, (n, 1))
    x += height * rng.uniform(0.7, 1.3, (n, 1)) * np.exp(-((t - c) ** 2) / (2 * width**2))
x += rng.normal(0, 0.03, x.shape)
x[rng.random(x.shape) < 0.002] += 4
x = x[..., None].astype("float32")
x_train, x_test = x[:1200], x[1200:]

inputs = keras.Input((length, 1))
h = layers.Conv1D(16, 5, strides=2, padding="same", activation="relu")(inputs)
h = layers.Conv1D(16, 5, strides=2, padding="same", activation="relu")(h)
h = layers.Flatten()(h)
code = layers.Dense(10)(h)
h = layers.Dense(16 * 16, activation="relu")(code)
h = layers.Reshape((16, 16))(h)
h = layers.Conv1DTranspose(16, 5, strides=2, padding="same", activation="relu")(h)
outputs = layers.Conv1DTranspose(1, 5, strides=2, padding="same")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss=keras.losses.Huber(delta=0.5))
model.fit(x_train, x_train, epochs=25, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
