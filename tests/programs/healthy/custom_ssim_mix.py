import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(41)

x = load_digits().images[..., None].astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


def ssim(a, b):
    """Structural similarity over the whole (small) picture."""
    mu_a = ops.mean(a, axis=(1, 2), keepdims=True)
    mu_b = ops.mean(b, axis=(1, 2), keepdims=True)
    var_a = ops.mean(ops.square(a - mu_a), axis=(1, 2))
    var_b = ops.mean(ops.square(b - mu_b), axis=(1, 2))
    cov = ops.mean((a - mu_a) * (b - mu_b), axis=(1, 2))
    mu_a, mu_b = mu_a[:, 0, 0], mu_b[:, 0, 0]
    c1, c2 = 0.01**2, 0.03**2
    return ((2 * mu_a * mu_b + c1) * (2 * cov + c2)) / ((mu_a**2 + mu_b**2 + c1) * (var_a + var_b + c2))


def mixed_loss(y_true, y_pred):
    mae = ops.mean(ops.abs(y_true - y_pred), axis=(1, 2, 3))
    return 0.5 * mae + 0.5 * (1.0 - ops.mean(ssim(y_true, y_pred), axis=-1))


model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Flatten(),
    layers.Dense(128, activation="relu"),
    layers.Dense(16),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
    layers.Reshape((8, 8, 1)),
])
model.compile(optimizer="adam", loss=mixed_loss)
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
