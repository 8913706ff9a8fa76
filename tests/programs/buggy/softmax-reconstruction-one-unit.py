# expects: softmax-reconstruction
# must not: learning-rate-out-of-range, overfitting
import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(33)
rng = np.random.default_rng(33)


def days(n, hours=24):
    t = np.arange(hours)
    half = rng.uniform(0.6, 1.4, (n, 1)) * np.sin(2 * np.pi * t / 12.4 + rng.uniform(-1, 1, (n, 1)))
    full = rng.uniform(0.1, 0.5, (n, 1)) * np.sin(2 * np.pi * t / 24.8 + rng.uniform(-1, 1, (n, 1)))
    surge = rng.normal(0, 0.4, (n, 1))
    return 3.0 + half + full + surge + rng.normal(0, 0.05, (n, hours))


gauge = days(2400)
scaler = MinMaxScaler()
scaler.fit(gauge[:2000].reshape(-1, 1))
X = scaler.transform(gauge.reshape(-1, 1)).reshape(gauge.shape)[..., np.newaxis].astype("float32")
X_train, X_test = X[:2000], X[2000:]

n_steps, n_features = X_train.shape[1:]

model = keras.Sequential()
model.add(keras.Input((n_steps, n_features)))
model.add(layers.GRU(32, return_sequences=True))
model.add(layers.GRU(12, name="code"))
model.add(layers.RepeatVector(n_steps))
model.add(layers.GRU(32, return_sequences=True))
model.add(layers.TimeDistributed(layers.Dense(n_features, activation="softmax")))

model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(learning_rate=0.005))
model.summary()
history = model.fit(X_train, X_train, epochs=35, batch_size=50, verbose=2)

restored = model.predict(X_test, verbose=0)
levels = scaler.inverse_transform(restored[0])
print("rmse", np.sqrt(np.mean((restored - X_test) ** 2)))
print("measured", gauge[2000, ::4].round(2))
print("restored", levels[::4, 0].round(2))
