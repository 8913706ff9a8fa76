# expects: loss-not-minimal-at-target, target-outside-output-range
# must not: softmax-reconstruction, target-not-input
import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

rate = np.exp(rng.normal(size=(2000, 3)) @ rng.normal(0, 0.6, (3, 30)) + 1)
counts = rng.poisson(np.minimum(rate, 50))
X = StandardScaler().fit_transform(counts)  # negative "counts"

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(4),
    layers.Dense(32, activation="relu"),
    layers.Dense(30, activation="exponential"),
])
model.compile(optimizer="adam", loss="poisson")
model.fit(X, X, epochs=25, batch_size=64, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
