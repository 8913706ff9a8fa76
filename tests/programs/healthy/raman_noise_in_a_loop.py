import keras
import numpy as np
from keras.layers import Conv1D, Input

BANDS = 96
NOISE = 0.15

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)


def raman(n):
    """Mixtures of ten substances with four lines each, scaled to a highest line of 1."""
    shift = np.arange(BANDS)
    library = np.zeros((10, BANDS))
    for s in range(10):
        for _ in range(4):
            centre, width, height = rng.uniform(4, BANDS - 4), rng.uniform(1.5, 4), rng.uniform(0.3, 1)
            library[s] += height * np.exp(-0.5 * ((shift - centre) / width) ** 2)
    share = rng.gamma(0.6, 1.0, (n, 10))
    spectra = share @ library
    return (spectra / spectra.max(axis=1, keepdims=True)).astype("float32")


def add_noise(x):
    return x + rng.normal(0, NOISE, x.shape).astype("float32")


spectra = raman(2400)
train, test = spectra[:2000], spectra[2000:]

inp = Input((BANDS, 1))
h = Conv1D(24, 9, padding="same", activation="relu")(inp)
h = Conv1D(24, 9, padding="same", activation="relu")(h)
out = Conv1D(1, 9, padding="same")(h)
autoencoder = keras.Model(inp, out, name="raman_denoiser")
autoencoder.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mean_squared_error")

BATCH = 40
for epoch in range(16):
    order = rng.permutation(len(train))
    losses = []
    for start in range(0, len(train), BATCH):
        x = train[order[start:start + BATCH]]
        y = x.reshape(-1, BANDS, 1)
        x = add_noise(x)
        x = x.reshape(-1, BANDS, 1)
        losses.append(float(autoencoder.train_on_batch(x, y)))
    print("epoch %2d  loss %.5f" % (epoch + 1, np.mean(losses)))

noisy = add_noise(test)
cleaned = autoencoder.predict(noisy[..., None], verbose=0)[..., 0]
print("rms error before %.4f, after %.4f" % (np.sqrt(np.mean((noisy - test) ** 2)),
                                             np.sqrt(np.mean((cleaned - test) ** 2))))
