# an autoencoder of short strings: softmax over the alphabet at every position
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(4)
rng = np.random.default_rng(4)

alphabet = "ACGT"
# sequences made from a few motifs with some mutations
motifs = rng.integers(0, 4, (6, 4))
sequences = motifs[rng.integers(0, 6, (3000, 5))].reshape(3000, 20)
mutate = rng.random(sequences.shape) < 0.03
sequences = np.where(mutate, rng.integers(0, 4, sequences.shape), sequences)
x = np.eye(4, dtype="float32")[sequences]
x_train, x_test = x[:2500], x[2500:]

inputs = keras.Input(shape=(20, 4))
h = layers.Flatten()(inputs)
h = layers.Dense(64, activation="relu")(h)
code = layers.Dense(12)(h)
h = layers.Dense(64, activation="relu")(code)
h = layers.Dense(80)(h)
h = layers.Reshape((20, 4))(h)
outputs = layers.Softmax(axis=-1)(h)

model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, x_train, epochs=40, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("letters right", (rec.argmax(-1) == x_test.argmax(-1)).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
