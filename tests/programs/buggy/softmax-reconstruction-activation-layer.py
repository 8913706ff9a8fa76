# expects: softmax-reconstruction
# must not: recurrent-output
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# daily load curves, scaled to [0, 1]
hours = np.arange(24)
peak = rng.uniform(8, 20, (2000, 1))
x = np.exp(-((hours - peak) ** 2) / 30) + 0.2 * rng.uniform(0, 1, (2000, 1))
x = (x / x.max()).astype("float32")

model = keras.Sequential()
model.add(layers.Input((24,)))
model.add(layers.Dense(16))
model.add(layers.Activation("tanh"))
model.add(layers.Dense(3))
model.add(layers.Activation("tanh"))
model.add(layers.Dense(16))
model.add(layers.Activation("tanh"))
model.add(layers.Dense(24))
model.add(layers.Activation("softmax"))
model.compile(loss="mean_absolute_error", optimizer="adam")
model.fit(x, x, epochs=25, batch_size=32, validation_split=0.2, verbose=2)

rec = model.predict(x, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
