import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(5)
np.random.seed(5)

x = load_digits().images.astype("float32") / 16.0
x = x.reshape(-1, 64)
x_train, x_test = x[:1400], x[1400:]

noise_factor = 0.3
x_train_noisy = np.clip(x_train + noise_factor * np.random.normal(size=x_train.shape), 0.0, 1.0)
x_test_noisy = np.clip(x_test + noise_factor * np.random.normal(size=x_test.shape), 0.0, 1.0)

model = keras.Sequential([
    layers.Input((64,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(24, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile("adam", "binary_crossentropy")
model.fit(x_train_noisy, x_train, epochs=40, batch_size=32,
          validation_data=(x_test_noisy, x_test), verbose=2)

rec = model.predict(x_test_noisy, verbose=0)
print("mse noisy", ((x_test_noisy - x_test) ** 2).mean(), "cleaned", ((rec - x_test) ** 2).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
