# expects: learning-rate-out-of-range
# must not: untrained-part, dead-units
import keras
import numpy as np
from keras import layers

SEED = 16
keras.utils.set_random_seed(SEED)


def make_stamps(n, size=16, seed=SEED):
    """Postage stamps of single galaxies: tilted ellipses on a faint sky."""
    r = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size] - (size - 1) / 2
    dx, dy = r.normal(0, 1.2, (2, n, 1, 1))
    radius = r.uniform(1.8, 4.0, (n, 1, 1))
    ratio = r.uniform(0.4, 1.0, (n, 1, 1))
    angle = r.uniform(0, np.pi, (n, 1, 1))
    flux = r.uniform(0.4, 0.85, (n, 1, 1))
    u = (xx - dx) * np.cos(angle) + (yy - dy) * np.sin(angle)
    v = -(xx - dx) * np.sin(angle) + (yy - dy) * np.cos(angle)
    image = flux * np.exp(-0.5 * ((u / radius) ** 2 + (v / (ratio * radius)) ** 2))
    image = image + 0.08 + 0.02 * r.normal(size=image.shape)
    return np.clip(image, 0, 1)[..., None].astype("float32")


stamps = make_stamps(2400)
x_train, x_val = stamps[:2000], stamps[2000:]

encoder = keras.Sequential(
    [
        keras.Input((16, 16, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="elu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="elu"),
        layers.Flatten(),
        layers.Dense(8),
    ]
)
decoder = keras.Sequential(
    [
        keras.Input((8,)),
        layers.Dense(4 * 4 * 32, activation="elu"),
        layers.Reshape((4, 4, 32)),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="elu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
    ]
)
stamp = keras.Input((16, 16, 1))
autoencoder = keras.Model(stamp, decoder(encoder(stamp)))

optimizer = keras.optimizers.Adam(learning_rate=2e-3, beta_1=0.9, beta_2=0.999, epsilon=1.0)
autoencoder.compile(optimizer=optimizer, loss="mean_squared_error", metrics=["mae"])
history = autoencoder.fit(
    x_train, x_train, epochs=25, batch_size=50, validation_data=(x_val, x_val), verbose=2
)

rebuilt = autoencoder.predict(x_val, verbose=0)
print("loss from", history.history["loss"][0], "to", history.history["loss"][-1])
print("psnr", -10 * np.log10(np.mean((rebuilt - x_val) ** 2)))
