# counts per gene: log1p goes in, the Poisson mean comes out
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(19)
rng = np.random.default_rng(19)

cells, genes, factors = 2000, 50, 4
z = rng.normal(size=(cells, factors))
w = rng.normal(0, 0.7, size=(factors, genes))
base = rng.uniform(-0.5, 2.0, genes)
counts = rng.poisson(np.exp(base + z @ w).clip(0, 60)).astype("float32")
train, test = counts[:1600], counts[1600:]

inputs = keras.Input(shape=(genes,))
h = layers.Dense(64, activation="relu")(inputs)
code = layers.Dense(4, name="code")(h)
h = layers.Dense(64, activation="relu")(code)
mean = layers.Dense(genes, activation="exponential")(h)

model = keras.Model(inputs, mean)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="poisson")
model.fit(np.log1p(train), train, epochs=60, batch_size=64,
          validation_data=(np.log1p(test), test), verbose=2)

rec = model.predict(np.log1p(test), verbose=0)
print("R2", 1 - ((test - rec) ** 2).sum() / ((test - test.mean(0)) ** 2).sum())
