# expects: padding-dominates
# must not: loss-not-minimal-at-target, overfitting
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(59)
rng = np.random.default_rng(59)

MAX_STEPS = 40
PAD = -1.0


def stroke():
    """x, y of the pen, in [0, 1], one point per step."""
    n = rng.integers(5, 12)
    angle = rng.uniform(0, 2 * np.pi) + rng.uniform(-0.25, 0.25) * np.arange(n)
    step = 0.05 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = rng.uniform(0.35, 0.65, 2) + np.cumsum(step, axis=0)
    return np.clip(points + rng.normal(0, 0.004, (n, 2)), 0, 1)


strokes = [stroke() for _ in range(2200)]
X = np.full((len(strokes), MAX_STEPS, 2), PAD, dtype="float32")
for i, s in enumerate(strokes):
    X[i, : len(s)] = s
X_train, X_test = X[:2000], X[2000:]


inputs = keras.Input((MAX_STEPS, 2))
h = layers.Masking(mask_value=PAD)(inputs)
code = layers.GRU(48, name="code")(h)
h = layers.RepeatVector(MAX_STEPS)(code)
h = layers.GRU(64, return_sequences=True)(h)
outputs = layers.TimeDistributed(layers.Dense(2))(h)

model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(4e-3), loss="mse")
model.fit(X_train, X_train, epochs=35, batch_size=50, verbose=2)

P = model.predict(X_test, verbose=0)
inside = np.any(X_test != PAD, axis=-1)
print("rmse on the points", np.sqrt(np.mean((P[inside] - X_test[inside]) ** 2)))
print("spread of the points", X_test[inside].std(axis=0))
for i in range(2):
    n = inside[i].sum()
    print(X_test[i, :n].round(2).tolist(), "->", P[i, :n].round(2).tolist())
