# expects: learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

t = np.arange(2000)
s = np.sin(t / 5) + 0.1 * rng.normal(size=t.size)
X = np.stack([s[i:i + 24] for i in range(0, 1970)])[..., None]

inputs = keras.Input((24, 1))
h = layers.Conv1D(16, 5, padding="same", activation="relu")(inputs)
h = layers.MaxPooling1D(4)(h)
h = layers.Conv1D(4, 3, padding="same", activation="relu")(h)
h = layers.UpSampling1D(4)(h)
h = layers.Conv1D(16, 5, padding="same", activation="relu")(h)
outputs = layers.Conv1D(1, 5, padding="same")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-7), loss="mse")
model.fit(X, X, epochs=15, batch_size=32, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
