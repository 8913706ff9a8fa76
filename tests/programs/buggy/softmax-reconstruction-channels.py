# expects: softmax-reconstruction
# must not: accuracy-on-reconstruction, learning-rate-out-of-range
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

grey = load_digits().images.astype("float32") / 16.0
tint = rng.uniform(0.3, 1, (len(grey), 1, 1, 3))
x = (grey[..., None] * tint).astype("float32")
x_train, x_test = x[:1500], x[1500:]

input_img = keras.Input((8, 8, 3))
h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(input_img)
h = layers.Flatten()(h)
h = layers.Dense(32)(h)
h = layers.Dense(256, activation="relu")(h)
h = layers.Reshape((4, 4, 16))(h)
h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
decoded = layers.Conv2D(3, 3, padding="same", activation="softmax")(h)
autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(x_train, x_train, epochs=15, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
