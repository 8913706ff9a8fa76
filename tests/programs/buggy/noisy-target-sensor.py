# expects: noisy-target
# must not: target-not-input, train-validation-shift
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

n, length = 1500, 32
t = np.linspace(0, 1, length)
clean = np.sin(2 * np.pi * (rng.uniform(1, 2, (n, 1)) * t + rng.uniform(0, 1, (n, 1))))
noisy = clean + rng.normal(0, 0.5, clean.shape)
clean, noisy = clean[..., None].astype("float32"), noisy[..., None].astype("float32")


class Denoiser(keras.Model):
    def __init__(self):
        super().__init__()
        self.down = layers.Conv1D(32, 5, padding="same", activation="relu")
        self.mid = layers.Conv1D(32, 5, padding="same", activation="relu")
        self.out = layers.Conv1D(1, 5, padding="same")

    def call(self, x):
        return self.out(self.mid(self.down(x)))


model = Denoiser()
model.compile(optimizer="adam", loss="mse")
train_x, test_x = noisy[:1200], noisy[1200:]
model.fit(train_x, train_x, epochs=15, batch_size=32, validation_data=(test_x, test_x), verbose=2)

out = model.predict(test_x, verbose=0)
ref = clean[1200:]
print("mse before", ((test_x - ref) ** 2).mean(), "after", ((out - ref) ** 2).mean())
