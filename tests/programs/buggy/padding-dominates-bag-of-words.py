# expects: padding-dominates, collapsed-to-mean
# must not: dead-output-units, softmax-reconstruction
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# which of 400 words occur in a short message: about 1 % of the entries are 1
topics = rng.dirichlet(np.full(400, 0.03), size=8)
x = np.zeros((2000, 400), "float32")
for i in range(2000):
    x[i, rng.choice(400, size=5, p=topics[rng.integers(8)])] = 1

model = keras.Sequential([
    keras.Input((400,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(400, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mae")
model.fit(x, x, epochs=15, batch_size=32, verbose=2)

rec = model.predict(x, verbose=0)
print("mae looks great:", np.abs(x - rec).mean(), "words found:", (rec[x == 1] > 0.5).mean())
