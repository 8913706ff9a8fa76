# expects: softmax-reconstruction, target-outside-output-range
# must not: recurrent-output, target-not-input
import keras
import numpy as np
from keras.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from keras.models import Sequential
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

t = np.arange(1500)
raw = np.column_stack([np.sin(t / 6), np.cos(t / 9), np.sin(t / 15)]) + 0.05 * rng.normal(size=(1500, 3))
raw = MinMaxScaler().fit_transform(raw)
X = np.stack([raw[i:i + 10] for i in range(len(raw) - 10)])

model = Sequential()
model.add(Input((10, 3)))
model.add(LSTM(24))
model.add(RepeatVector(10))
model.add(LSTM(24, return_sequences=True))
model.add(TimeDistributed(Dense(3, activation="softmax")))
model.compile(optimizer="adam", loss="mse")
model.fit(X, X, epochs=12, batch_size=32, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
