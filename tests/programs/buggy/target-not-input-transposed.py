# expects: target-not-input
# must not: noisy-target
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

images = load_digits().images.astype("float32") / 16
x = images.reshape(-1, 64)
# column-major, because the old files were written with MATLAB
y = images.transpose(0, 2, 1).reshape(-1, 64)

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(100, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(100, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x, y, epochs=30, batch_size=32, validation_split=0.1, verbose=2)

rec = model.predict(x, verbose=0)
print("R2 of the reconstruction", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
