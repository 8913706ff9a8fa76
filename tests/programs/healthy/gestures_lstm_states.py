import math

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(39)

STEPS, CHANNELS = 24, 4


def gestures(n, rng):
    """Four accelerometer channels: a swing with its phase, a tilt and a drift."""
    t = np.linspace(0, 1, STEPS)
    basis = np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t), np.ones(STEPS), 2 * t - 1])
    mixing = np.random.default_rng(1).normal(size=(4, CHANNELS))
    weights = rng.normal(size=(n, 4))
    x = np.einsum("nk,kt,kc->ntc", weights, basis, mixing)
    return x + 0.05 * rng.normal(size=x.shape)


class Windows(keras.utils.PyDataset):
    def __init__(self, x, batch_size, shuffle=False, **kwargs):
        super().__init__(**kwargs)
        self.x, self.batch_size, self.shuffle = x, batch_size, shuffle
        self.order = np.arange(len(x))
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, i):
        rows = self.order[i * self.batch_size : (i + 1) * self.batch_size]
        return self.x[rows], self.x[rows]

    def on_epoch_end(self):
        if self.shuffle:
            np.random.shuffle(self.order)


class Seq2SeqAutoencoder(keras.Model):
    def __init__(self, n_channels, units=24):
        super().__init__()
        self.encoder = layers.LSTM(units, return_state=True)
        self.decoder = layers.LSTM(units, return_sequences=True)
        self.readout = layers.Dense(n_channels)

    def call(self, x):
        _, h, c = self.encoder(x)
        # the decoder runs freely, without input
        nothing = ops.zeros_like(x)
        y = self.decoder(nothing, initial_state=[h, c])
        return self.readout(y)


rng = np.random.default_rng(39)
train, test = gestures(1600, rng), gestures(320, rng)
mean, std = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
train = ((train - mean) / std).astype("float32")
test = ((test - mean) / std).astype("float32")

model = Seq2SeqAutoencoder(CHANNELS)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(Windows(train, 64, shuffle=True), validation_data=Windows(test, 64), epochs=30, verbose=2)

rebuilt = model.predict(test, verbose=0)
print("test mse", np.mean((rebuilt - test) ** 2))
print(np.round(np.c_[test[0, ::4, 0], rebuilt[0, ::4, 0], test[1, ::4, 0], rebuilt[1, ::4, 0]], 2))
