# expects: unscaled-input
# must not: softmax-reconstruction, bce-target-outside-unit-interval
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

digits = load_digits().images[:1200] / 16.0
ink = rng.uniform(0, 255, (1200, 1, 1, 3))
images = (digits[..., None] * ink + (1 - digits[..., None]) * (255 - ink)).astype("uint8")
train, val = images[:1000], images[1000:]

inputs = keras.Input(shape=(8, 8, 3))
x = layers.Conv2D(16, 3, activation="relu", padding="same", strides=2)(inputs)
x = layers.Flatten()(x)
x = layers.Dense(16, activation="sigmoid")(x)
x = layers.Dense(256, activation="relu")(x)
x = layers.Reshape((4, 4, 16))(x)
x = layers.UpSampling2D()(x)
outputs = layers.Conv2D(3, 3, padding="same")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "mse")
model.fit(train, train, epochs=15, batch_size=32, validation_data=(val, val), verbose=2)

rec = model.predict(val, verbose=0)
t = val.astype("float32")
print("R2", 1 - ((t - rec) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
