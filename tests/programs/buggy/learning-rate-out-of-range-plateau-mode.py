# expects: learning-rate-out-of-range
# must not: overfitting, stopped-too-early
import keras
import numpy as np
from keras import layers
from keras.callbacks import ReduceLROnPlateau
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(115)
rng = np.random.default_rng(115)

WINDOW, SENSORS = 32, 4


def press_strokes(n):
    """Force, path, pressure and current of a press, one window per stroke."""
    t = np.linspace(0, 1, WINDOW)
    hit = rng.normal(0.5, 0.05, (n, 1))
    hard = rng.normal(1.0, 0.2, (n, 1))
    speed = rng.normal(1.0, 0.15, (n, 1))
    wear = rng.normal(0, 1, (n, 1))
    force = hard * np.exp(-((t - hit) / 0.12) ** 2) + 0.1 * wear * t
    path = speed * np.sin(np.pi * t) + 0.1 * wear
    pressure = 0.6 * force + 0.4 * speed * t
    current = speed * (0.3 + t) + 0.5 * hard * (t > 0.3) - 0.2 * wear * t ** 2
    x = np.stack([force, path, pressure, current], axis=-1)
    return x + 0.03 * rng.normal(size=x.shape)


strokes = press_strokes(1600).reshape(1600, -1)
scaler = StandardScaler().fit(strokes[:1200])
x_train = scaler.transform(strokes[:1200]).astype("float32").reshape(-1, WINDOW, SENSORS)
x_valid = scaler.transform(strokes[1200:]).astype("float32").reshape(-1, WINDOW, SENSORS)


def get_model():
    stroke = layers.Input((WINDOW, SENSORS))
    x = layers.Flatten()(stroke)
    x = layers.Dense(64, activation="gelu")(x)
    x = layers.Dense(8, name="state")(x)
    x = layers.Dense(64, activation="gelu")(x)
    x = layers.Dense(WINDOW * SENSORS)(x)
    return keras.Model(stroke, layers.Reshape((WINDOW, SENSORS))(x))


def train(model, epochs=80, batch_size=100):
    callbacks = [
        ReduceLROnPlateau(monitor="val_loss", mode="max", factor=0.1, patience=3, min_lr=1e-6),
    ]
    return model.fit(x_train, x_train, validation_data=(x_valid, x_valid), epochs=epochs,
                     batch_size=batch_size, callbacks=callbacks, verbose=0)


model = get_model()
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mean_squared_error")
history = train(model).history
for epoch in range(0, 80, 8):
    print(epoch + 1, "loss %.4f  val_loss %.4f" % (history["loss"][epoch], history["val_loss"][epoch]))

error = ((model.predict(x_valid, verbose=0) - x_valid) ** 2).mean((1, 2))
broken = x_valid.copy()
broken[:, 10:20, 2] = 0.0
error_b = ((model.predict(broken, verbose=0) - broken) ** 2).mean((1, 2))
print("found: %.2f" % np.mean(error_b > np.quantile(error, 0.98)))
