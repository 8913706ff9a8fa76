# expects: noisy-target, bce-target-outside-unit-interval
# must not: softmax-reconstruction, target-not-input
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

x = load_digits().data.astype("float32") / 16
noisy = (x + rng.normal(0, 0.3, x.shape)).astype("float32")  # not clipped

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(noisy, noisy, epochs=30, batch_size=32, verbose=2)
rec = model.predict(noisy, verbose=0)
print("mse noisy", ((noisy - x) ** 2).mean(), "denoised", ((rec - x) ** 2).mean())
