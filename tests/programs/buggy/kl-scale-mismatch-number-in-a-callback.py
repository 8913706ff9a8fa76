# expects: kl-scale-mismatch
# must not: kl-formula, sampling-scale, posterior-collapse
import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(13)

X = (load_digits().data / 16.0).astype("float32")
x_train, x_test = train_test_split(X, test_size=0.2, random_state=13)


class VAE(keras.Model):
    def __init__(self, input_dim, latent_dim, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.encoder = keras.Sequential(
            [layers.Dense(96, activation="relu"), layers.Dense(2 * latent_dim)], name="encoder"
        )
        self.decoder = keras.Sequential(
            [layers.Dense(96, activation="relu"), layers.Dense(input_dim, activation="sigmoid")], name="decoder"
        )
        self.seed_generator = keras.random.SeedGenerator(13)
        self.kl_weight = 0.0
        self.rec_tracker = keras.metrics.Mean(name="rec")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    def call(self, x):
        z_mean, z_log_var = ops.split(self.encoder(x), 2, axis=-1)
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        z = z_mean + ops.exp(0.5 * z_log_var) * epsilon
        return self.decoder(z), z_mean, z_log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        x_hat, z_mean, z_log_var = y_pred
        rec = ops.mean(ops.sum(ops.binary_crossentropy(x, x_hat), axis=-1))
        kl = -0.5 * ops.mean(ops.sum(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var), axis=-1))
        self.rec_tracker.update_state(rec)
        self.kl_tracker.update_state(kl)
        return rec + self.kl_weight * kl


class KLWarmUp(keras.callbacks.Callback):
    """No KL term for the first epochs, then up to 1 in a straight line."""

    def __init__(self, start=5, length=15):
        super().__init__()
        self.start = start
        self.length = length

    def on_epoch_begin(self, epoch, logs=None):
        weight = min(1.0, max(0.0, (epoch - self.start) / self.length))
        self.model.kl_weight = weight


vae = VAE(X.shape[1], latent_dim=6)
vae.compile(optimizer=keras.optimizers.Adam(2e-3))
vae.fit(x_train, epochs=60, batch_size=64, callbacks=[KLWarmUp()], verbose=2)

x_hat, z_mean, z_log_var = vae.predict(x_test, verbose=0)
print("mse", np.mean((x_hat - x_test) ** 2))
print("mean of the codes", z_mean.mean(axis=0).round(2), "spread", z_mean.std(axis=0).round(2))
print("posterior sd", np.exp(0.5 * z_log_var).mean(axis=0).round(3))
z = np.random.default_rng(0).normal(size=(200, vae.latent_dim)).astype("float32")
print("ink: generated", vae.decoder.predict(z, verbose=0).mean(), "real", x_test.mean())
