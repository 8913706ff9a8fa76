# expects: softmax-reconstruction
# must not: accuracy-on-reconstruction, unscaled-input, categorical-loss-on-vectors
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

motifs = rng.integers(0, 4, (6, 4))
letters = motifs[rng.integers(0, 6, (2500, 5))].reshape(2500, 20)
x = np.eye(4, dtype="float32")[letters]

inputs = keras.Input((20, 4))
h = layers.Flatten()(inputs)
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(12)(h)
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(80)(h)
h = layers.Reshape((20, 4))(h)
outputs = layers.Softmax(axis=1)(h)  # over the positions instead of the letters
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x, epochs=20, batch_size=64, validation_split=0.1, verbose=2)
rec = model.predict(x, verbose=0)
print("letters right", (rec.argmax(-1) == letters).mean(), "largest", rec.max(), "R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
