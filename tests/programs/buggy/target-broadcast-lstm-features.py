# expects: target-broadcast
# must not: recurrent-output, target-outside-output-range
import keras
import numpy as np
from keras.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from keras.models import Sequential

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

timesteps, n_features = 12, 3
t = np.linspace(0, 1, timesteps)[None, :, None]
X = np.sin(2 * np.pi * (rng.uniform(0.5, 1.5, (1200, 1, n_features)) * t + rng.random((1200, 1, n_features))))

model = Sequential()
model.add(Input((timesteps, n_features)))
model.add(LSTM(32, activation="tanh"))
model.add(RepeatVector(timesteps))
model.add(LSTM(32, activation="tanh", return_sequences=True))
model.add(TimeDistributed(Dense(1)))
model.compile(optimizer="adam", loss="mse")
model.fit(X, X, epochs=15, batch_size=32, verbose=2)

rec = model.predict(X, verbose=0)
print("shape", rec.shape, "R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
