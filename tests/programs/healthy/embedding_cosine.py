# unit vectors (text embeddings), compared by their angle
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(37)
rng = np.random.default_rng(37)

latent = rng.normal(size=(3000, 6))
w = rng.normal(size=(6, 48))
emb = np.tanh(latent @ w * 0.5) + 0.05 * rng.normal(size=(3000, 48))
emb = (emb / np.linalg.norm(emb, axis=1, keepdims=True)).astype("float32")
train, test = emb[:2500], emb[2500:]

inputs = keras.Input((48,))
h = layers.Dense(64, activation="gelu")(inputs)
code = layers.Dense(8)(h)
h = layers.Dense(64, activation="gelu")(code)
h = layers.Dense(48)(h)
outputs = layers.UnitNormalization()(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss=keras.losses.CosineSimilarity())
model.fit(train, train, epochs=40, batch_size=64, validation_data=(test, test), verbose=2)

rec = model.predict(test, verbose=0)
print("cosine", (rec * test).sum(axis=1).mean())
print("R2", 1 - ((test - rec) ** 2).sum() / ((test - test.mean(0)) ** 2).sum())
