# expects: padding-dominates
# must not: softmax-reconstruction, logits-mismatch
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# events of a session, padded with zeros to the longest one
n, longest, features = 1500, 60, 4
x = np.zeros((n, longest, features), "float32")
lengths = np.minimum(rng.geometric(0.25, n) + 1, longest)
for i, length in enumerate(lengths):
    x[i, :length] = rng.normal(0, 1, (1, features)) + rng.normal(0, 0.5, (length, features))
print("zeros", (x == 0).mean())

inputs = keras.Input((longest, features))
h = layers.Flatten()(inputs)
h = layers.Dense(32, activation="relu")(h)
h = layers.Dense(8)(h)
h = layers.Dense(32, activation="relu")(h)
h = layers.Dense(longest * features)(h)
outputs = layers.Reshape((longest, features))(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
model.fit(x, x, epochs=20, batch_size=32, verbose=2)

rec = model.predict(x, verbose=0)
real = x != 0
print("mse", ((x - rec) ** 2).mean(), "on the real events", ((x - rec)[real] ** 2).mean(), "of variance", x[real].var())
