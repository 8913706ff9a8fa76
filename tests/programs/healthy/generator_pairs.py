import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(44)

images = load_digits().images.astype("float32") / 16.0
train_images, test_images = images[:1500], images[1500:]


def generator(images, batch_size=32):
    rng = np.random.default_rng(44)
    while True:
        batch = images[rng.integers(0, len(images), batch_size)]
        yield batch, batch


model = keras.Sequential([
    layers.Input((8, 8)),
    layers.Reshape((64,)),
    layers.Dense(100, activation="swish"),
    layers.Dense(16),
    layers.Dense(100, activation="swish"),
    layers.Dense(64, activation="sigmoid"),
    layers.Reshape((8, 8)),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(generator(train_images), steps_per_epoch=47, epochs=40, verbose=2)

rec = model.predict(test_images, verbose=0)
print("R2", 1 - ((test_images - rec) ** 2).sum() / ((test_images - test_images.mean(0)) ** 2).sum())
