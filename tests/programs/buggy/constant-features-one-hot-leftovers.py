# expects: constant-features
# must not: dead-output-units, collapsed-to-mean, unscaled-input
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = load_wine().data
# columns of a bigger table that are the same for every row of this one
country = np.tile([0.0, 1.0, 0.0, 0.0, 0.0, 0.0], (len(X), 1))
X = StandardScaler().fit_transform(np.hstack([X, country]))

model = keras.Sequential([
    keras.Input((19,)),
    layers.Dense(16, activation="tanh"),
    layers.Dense(6),
    layers.Dense(16, activation="tanh"),
    layers.Dense(19),
])
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
model.fit(X, X, epochs=200, batch_size=16, verbose=2)

rec = model.predict(X, verbose=0)
print("mse looks better than it is:", ((X - rec) ** 2).mean(), "over the real columns:", ((X - rec)[:, :13] ** 2).mean())
