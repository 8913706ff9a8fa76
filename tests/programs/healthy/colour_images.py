# may: worse-than-pca
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(38)
rng = np.random.default_rng(38)

shapes = load_digits().images.astype("float32") / 16.0
ink = rng.uniform(0, 1, (len(shapes), 1, 1, 3))
paper = rng.uniform(0, 1, (len(shapes), 1, 1, 3))
x = (shapes[..., None] * ink + (1 - shapes[..., None]) * paper).astype("float32")
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((8, 8, 3)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(128, activation="relu"),
    layers.Dense(24),
    layers.Dense(4 * 4 * 16, activation="relu"),
    layers.Reshape((4, 4, 16)),
    layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2D(3, 3, padding="same", activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse", metrics=["mae"])
model.fit(x_train, x_train, epochs=25, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
