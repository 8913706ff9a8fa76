import math

import keras
import numpy as np
from keras.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from keras.models import Sequential
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(72)
rng = np.random.default_rng(72)

timesteps = 12
n_features = 3


def record(n):
    t = np.arange(timesteps)
    amp = rng.uniform(0.4, 2.2, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    speed = rng.uniform(0.4, 0.7, (n, 1))
    a = amp * np.sin(speed * t + phase)
    b = amp * np.cos(speed * t + phase)
    c = 20 + 3 * rng.normal(size=(n, 1)) + 2 * a
    x = np.stack([a, b, c], axis=-1)
    return x + 0.03 * rng.normal(size=x.shape)


train, valid = record(1600), record(320)
scaler = StandardScaler().fit(train.reshape(-1, n_features))
train = scaler.transform(train.reshape(-1, n_features)).reshape(train.shape).astype("float32")
valid = scaler.transform(valid.reshape(-1, n_features)).reshape(valid.shape).astype("float32")


class SequenceFeeder(keras.utils.PyDataset):
    def __init__(self, data, batch_size, shuffle=True, **kwargs):
        super().__init__(**kwargs)
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.order = np.arange(len(data))
        self.on_epoch_end()

    def __len__(self):
        return math.ceil(len(self.data) / self.batch_size)

    def __getitem__(self, i):
        rows = self.order[i * self.batch_size : (i + 1) * self.batch_size]
        return self.data[rows], self.data[rows]

    def on_epoch_end(self):
        if self.shuffle:
            rng.shuffle(self.order)


model = Sequential()
model.add(Input((timesteps, n_features)))
model.add(LSTM(20))
model.add(RepeatVector(timesteps))
model.add(LSTM(48, return_sequences=True))
model.add(TimeDistributed(Dense(n_features)))
model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.004))

model.fit(
    SequenceFeeder(train, 32),
    validation_data=SequenceFeeder(valid, 32, shuffle=False),
    epochs=40,
    verbose=2,
)

pred = model.predict(valid, verbose=0)
print("error per sensor", np.mean((pred - valid) ** 2, axis=(0, 1)))
print("largest reading", valid.max(), "largest reconstructed", pred.max())
