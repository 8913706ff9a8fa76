# expects: sampling-scale
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import os

import jax
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(6)

data = np.load(os.environ["MNIST_NPZ"])
x_train = data["x_train"][:3000, ::2, ::2, None].astype("float32") / 255.0
x_test = data["x_test"][:500, ::2, ::2, None].astype("float32") / 255.0


class VAE(keras.Model):
    def __init__(self, latent_dim=6, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        self.encoder = keras.Sequential(
            [
                keras.Input((14, 14, 1)),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
            ],
            name="encoder",
        )
        self.encode_mu = keras.Sequential([keras.Input((128,)), layers.Dense(latent_dim)], name="mu")
        self.encode_si = keras.Sequential([keras.Input((128,)), layers.Dense(latent_dim)], name="logvar")
        self.decoder = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                layers.Dense(128, activation="relu"),
                layers.Dense(14 * 14, activation="sigmoid"),
                layers.Reshape((14, 14, 1)),
            ],
            name="decoder",
        )
        self.seed_generator = keras.random.SeedGenerator(6)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.rec_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    @property
    def metrics(self):
        return [self.loss_tracker, self.rec_tracker, self.kl_tracker]

    def reparameterize(self, mu, logvar):
        eps = keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        return mu + eps * ops.exp(0.5 * logvar)

    def call(self, x, training=None):
        h = self.encoder(x)
        mu = self.encode_mu(h)
        logvar = self.encode_si(h)
        z = self.reparameterize(mu, logvar)
        recon = self.decoder(mu)
        return recon, mu, logvar

    def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x, training=False):
        (recon, mu, logvar), non_trainable_variables = self.stateless_call(
            trainable_variables, non_trainable_variables, x, training=training
        )
        rec = ops.mean(ops.sum(ops.binary_crossentropy(x, recon), axis=(1, 2, 3)))
        kl = ops.mean(-0.5 * ops.sum(1 + logvar - ops.square(mu) - ops.exp(logvar), axis=1))
        return rec + kl, (rec, kl, non_trainable_variables)

    def train_step(self, state, data):
        trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables = state
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (rec, kl, non_trainable_variables)), grads = grad_fn(
            trainable_variables, non_trainable_variables, x, training=True
        )
        trainable_variables, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, grads, trainable_variables
        )
        logs, new_metrics_variables = {}, []
        for metric, value in zip(self.metrics, (loss, rec, kl)):
            n = len(new_metrics_variables)
            variables = metric.stateless_update_state(metrics_variables[n : n + len(metric.variables)], value)
            logs[metric.name] = metric.stateless_result(variables)
            new_metrics_variables += variables
        return logs, (trainable_variables, non_trainable_variables, optimizer_variables, new_metrics_variables)


vae = VAE()
vae.compile(optimizer=keras.optimizers.Adam(2e-3))
vae.fit(x_train, batch_size=64, epochs=30, verbose=2)

recon, mu, logvar = vae.predict(x_test, verbose=0)
print("test mse", np.mean((recon - x_test) ** 2))
z = np.random.default_rng(0).normal(size=(100, vae.latent_dim)).astype("float32")
new_digits = vae.decoder.predict(z, verbose=0)
print("ink per picture: generated %.1f, real %.1f" % (new_digits.sum(axis=(1, 2)).mean(), x_test.sum(axis=(1, 2)).mean()))
