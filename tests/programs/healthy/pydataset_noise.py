# new noise for every batch, from a keras.utils.PyDataset
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(43)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class NoisyDigits(keras.utils.PyDataset):
    def __init__(self, x, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.batch_size = x, batch_size
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return int(np.ceil(len(self.x) / self.batch_size))

    def __getitem__(self, i):
        clean = self.x[i * self.batch_size:(i + 1) * self.batch_size]
        noisy = clean + 0.3 * self.rng.normal(size=clean.shape).astype("float32")
        return noisy, clean

    def on_epoch_end(self):
        self.rng.shuffle(self.x)


model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(NoisyDigits(x_train.copy(), 32), epochs=40, verbose=2)

noisy = x_test + 0.3 * np.random.default_rng(1).normal(size=x_test.shape)
rec = model.predict(noisy, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
