# expects: loss-not-minimal-at-target
# must not: softmax-reconstruction, target-not-input
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().images.astype("float32")[..., None] / 16
x_train, x_test = x[:1500], x[1500:]


def ssim_loss(y_true, y_pred):
    a = ops.reshape(y_true, (-1, 64))
    b = ops.reshape(y_pred, (-1, 64))
    ma, mb = ops.mean(a, axis=1), ops.mean(b, axis=1)
    va, vb = ops.var(a, axis=1), ops.var(b, axis=1)
    cov = ops.mean(a * b, axis=1) - ma * mb
    ssim = (2 * ma * mb + 1e-4) * (2 * cov + 9e-4) / ((ma**2 + mb**2 + 1e-4) * (va + vb + 9e-4))
    return ssim  # similarity, not 1 - similarity


inp = keras.Input((8, 8, 1))
h = layers.Flatten()(inp)
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(16)(h)
h = layers.Dense(64, activation="relu")(h)
h = layers.Dense(64, activation="sigmoid")(h)
out = layers.Reshape((8, 8, 1))(h)
model = keras.Model(inp, out)
model.compile("adam", ssim_loss)
model.fit(x_train, x_train, epochs=15, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("it learned the negative: R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
