import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(29)
rng = np.random.default_rng(29)

x = load_digits().images.astype("float32") / 16
masked = x.copy()
for image in masked:
    r, c = rng.integers(0, 5, 2)
    image[r:r + 4, c:c + 4] = 0
x_train, x_test, m_train, m_test = x[:1500], x[1500:], masked[:1500], masked[1500:]

model = keras.Sequential([
    keras.Input((8, 8)),
    layers.Flatten(),
    layers.Dense(256, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(256, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
    layers.Reshape((8, 8)),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(m_train, x_train, epochs=30, batch_size=32, validation_data=(m_test, x_test), verbose=2)

rec = model.predict(m_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
