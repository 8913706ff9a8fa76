import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(27)
rng = np.random.default_rng(27)

# discs and bars on a 16x16 canvas
n = 900
yy, xx = np.mgrid[0:16, 0:16]
cx, cy, r = rng.uniform(4, 12, (3, n, 1, 1))
r = r / 3
disc = ((xx - cx) ** 2 + (yy - cy) ** 2 < r**2).astype("float32")
bar = (np.abs(xx - rng.uniform(2, 14, (n, 1, 1))) < 1.5).astype("float32")
clean = np.maximum(disc, 0.5 * bar)[..., None]
noisy = clean + rng.normal(0, 0.4, clean.shape)
noisy = noisy.astype("float32")

inputs = keras.Input((16, 16, 1))
c1 = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
p1 = layers.MaxPooling2D()(c1)
c2 = layers.Conv2D(16, 3, padding="same", activation="relu")(p1)
p2 = layers.MaxPooling2D()(c2)
b = layers.Conv2D(16, 3, padding="same", activation="relu")(p2)
u2 = layers.Concatenate()([layers.UpSampling2D()(b), c2])
c3 = layers.Conv2D(16, 3, padding="same", activation="relu")(u2)
u1 = layers.Concatenate()([layers.UpSampling2D()(c3), c1])
c4 = layers.Conv2D(8, 3, padding="same", activation="relu")(u1)
outputs = layers.Conv2D(1, 1)(c4)

unet = keras.Model(inputs, outputs)
unet.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
unet.fit(noisy[:750], clean[:750], epochs=8, batch_size=32,
         validation_data=(noisy[750:], clean[750:]), verbose=2)

rec = unet.predict(noisy[750:], verbose=0)
t = clean[750:]
print("mse noisy", ((noisy[750:] - t) ** 2).mean(), "cleaned", ((rec - t) ** 2).mean())
print("R2", 1 - ((t - rec) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
