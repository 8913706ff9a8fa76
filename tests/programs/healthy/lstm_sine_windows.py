import keras
import numpy as np
from keras.layers import LSTM, Dense, Input, RepeatVector, TimeDistributed
from keras.models import Sequential
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(35)
rng = np.random.default_rng(35)

t = np.arange(0, 2000)
signal = np.sin(0.2 * t) + 0.5 * np.sin(0.05 * t) + 0.05 * rng.normal(size=t.size)
signal = StandardScaler().fit_transform(signal.reshape(-1, 1))

window = 20
X = np.array([signal[i:i + window] for i in range(len(signal) - window)])
X_train, X_test = X[:1500], X[1500:]

model = Sequential()
model.add(Input((window, 1)))
model.add(LSTM(32, activation="tanh"))
model.add(Dense(8))
model.add(RepeatVector(window))
model.add(LSTM(32, activation="tanh", return_sequences=True))
model.add(TimeDistributed(Dense(1)))
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
model.fit(X_train, X_train, epochs=20, batch_size=64, validation_data=(X_test, X_test), verbose=2)

rec = model.predict(X_test, verbose=0)
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
