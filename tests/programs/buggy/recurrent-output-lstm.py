# expects: recurrent-output, target-outside-output-range
# must not: unscaled-input, target-not-input
import keras
import numpy as np
from keras.layers import LSTM, Input, RepeatVector
from keras.models import Model
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

t = np.arange(2500)
series = np.column_stack([np.sin(0.2 * t) ** 9 + 0.05 * rng.normal(size=t.size), np.cos(0.2 * t) ** 9])
series = StandardScaler().fit_transform(series)
X = np.stack([series[i:i + 15] for i in range(0, len(series) - 15, 2)])

inputs = Input(shape=(15, 2))
encoded = LSTM(16)(inputs)
decoded = RepeatVector(15)(encoded)
decoded = LSTM(2, return_sequences=True)(decoded)
model = Model(inputs, decoded)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(X, X, epochs=25, batch_size=32, verbose=2)

rec = model.predict(X, verbose=0)
print("output", rec.min(), rec.max(), "data", X.min(), X.max())
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
