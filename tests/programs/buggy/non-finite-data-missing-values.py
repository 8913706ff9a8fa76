# expects: non-finite-data
# must not: learning-rate-out-of-range
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

X = load_breast_cancer().data
X[rng.random(X.shape) < 0.002] = np.nan  # some measurements are missing
X = StandardScaler().fit_transform(X)  # (which ignores NaN)

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(6),
    layers.Dense(16, activation="relu"),
    layers.Dense(30),
])
model.compile(optimizer="adam", loss="mse")
history = model.fit(X, X, epochs=10, batch_size=32, validation_split=0.1, verbose=2)
print("loss nan:", history.history["loss"])
