# expects: latent-not-narrower
# must not: collapsed-to-mean, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_wine().data)

model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(64, activation="relu", name="bottleneck"),
    layers.Dense(32, activation="relu"),
    layers.Dense(13),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X, X, epochs=150, batch_size=16, validation_split=0.2, verbose=2)
# every anomaly is reconstructed, too
import numpy as np
odd = np.random.default_rng(0).uniform(-2, 2, (100, 13))
rec = model.predict(odd, verbose=0)
print("R2 on nonsense", 1 - ((odd - rec) ** 2).sum() / ((odd - odd.mean(0)) ** 2).sum())
