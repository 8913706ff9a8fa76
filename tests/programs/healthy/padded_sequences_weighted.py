import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(5)
rng = np.random.default_rng(5)

MAXLEN = 40


def history():
    """(amount, days since the previous purchase) of one customer, both scaled."""
    n = rng.integers(5, 10)
    k = np.arange(n) / 9
    amount = rng.uniform(0.8, 2.0) + rng.uniform(-0.8, 0.8) * k
    gap = rng.uniform(0.5, 1.5) * (1 + rng.uniform(0, 1) * np.sin(2 * k + rng.uniform(0, 3)) / 2)
    return np.stack([amount, gap], axis=1) + rng.normal(0, 0.03, (n, 2))


histories = [history() for _ in range(1300)]
X = keras.utils.pad_sequences(histories, maxlen=MAXLEN, dtype="float32", padding="post", value=0.0)
X_tr, X_te = X[:1100], X[1100:]
w_tr = np.any(X_tr != 0, axis=-1).astype("float32")
w_te = np.any(X_te != 0, axis=-1).astype("float32")

inputs = keras.Input((MAXLEN, 2))
x = layers.GRU(32)(layers.Masking(0.0)(inputs))
x = layers.RepeatVector(MAXLEN)(x)
x = layers.GRU(32, return_sequences=True)(x)
outputs = layers.TimeDistributed(layers.Dense(2))(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")

model.fit(X_tr, X_tr, sample_weight=w_tr, validation_data=(X_te, X_te, w_te),
          epochs=28, batch_size=44, verbose=2)

P = model.predict(X_te, verbose=0)
real = np.any(X_te != 0, axis=-1)
print("rmse over everything", np.sqrt(np.mean((P - X_te) ** 2)))
print("rmse on purchases   ", np.sqrt(np.mean((P[real] - X_te[real]) ** 2)), "spread", X_te[real].std(axis=0))
