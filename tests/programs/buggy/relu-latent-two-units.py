# expects: relu-latent, dead-units
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(6)
rng = np.random.default_rng(0)

# a plane in 12 dimensions: two signed coordinates are all there is
z = rng.normal(size=(2000, 2))
x = z @ rng.normal(size=(2, 12)) + 0.05 * rng.normal(size=(2000, 12))
x = ((x - x.mean(0)) / x.std(0)).astype("float32")

inputs = keras.Input((12,))
code = layers.Dense(2, activation="relu", use_bias=False, name="code")(inputs)
outputs = layers.Dense(12)(code)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
model.fit(x, x, epochs=40, batch_size=32, validation_split=0.2, verbose=2)

c = keras.Model(inputs, code).predict(x, verbose=0)
print("share of zeros in the code", (c == 0).mean(axis=0))
rec = model.predict(x, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
