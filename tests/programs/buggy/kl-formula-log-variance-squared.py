# expects: kl-formula
# must not: sampling-scale, kl-scale-mismatch
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(48)
rng = np.random.default_rng(48)

N_CELLS, N_GENES, N_PROGRAMS, N_LATENT = 2400, 120, 5, 5

# counts: a few gene programs, a depth for every cell, Poisson noise
activity = rng.normal(size=(N_CELLS, N_PROGRAMS))
loading = rng.normal(0, 0.4, (N_PROGRAMS, N_GENES))
log_rate = rng.normal(2.0, 0.5, N_GENES) + activity @ loading
depth = np.exp(rng.normal(0, 0.3, (N_CELLS, 1)))
counts = rng.poisson(depth * np.exp(log_rate))

# usual preprocessing: same total for every cell, log1p, z-score of every gene
size = counts.sum(axis=1, keepdims=True)
expr = np.log1p(counts / size * np.median(size))
train_cells, test_cells = expr[:2000], expr[2000:]
mean, std = train_cells.mean(axis=0), train_cells.std(axis=0)
x_train = ((train_cells - mean) / std).astype("float32")
x_test = ((test_cells - mean) / std).astype("float32")


def kl_divergence(mu, logvar):
    per_cell = ops.square(mu) + ops.square(logvar) - ops.log(1e-20 + ops.square(logvar)) - 1
    return 0.5 * ops.sum(per_cell, axis=-1)


class CellVAE(keras.Model):
    def __init__(self, n_genes, n_latent, n_hidden=96):
        super().__init__()
        self.encoder = keras.Sequential([
            layers.Dense(n_hidden, activation="silu"),
            layers.Dense(n_hidden, activation="silu"),
        ])
        self.mu = layers.Dense(n_latent)
        self.logvar = layers.Dense(n_latent)
        self.decoder = keras.Sequential([
            layers.Dense(n_hidden, activation="silu"),
            layers.Dense(n_genes),
        ])
        self.seed = keras.random.SeedGenerator(48)
        self.recon_metric = keras.metrics.Mean(name="recon")
        self.kl_metric = keras.metrics.Mean(name="kl")

    def call(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mu), seed=self.seed)
        return self.decoder(z), mu, logvar

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        out, mu, logvar = y_pred
        recon = ops.mean(0.5 * ops.sum(ops.square(x - out), axis=-1))
        kl = ops.mean(kl_divergence(mu, logvar))
        self.recon_metric.update_state(recon)
        self.kl_metric.update_state(kl)
        return recon + kl


vae = CellVAE(N_GENES, N_LATENT)
vae.compile(optimizer=keras.optimizers.Adam(2e-3))
vae.fit(x_train, batch_size=64, epochs=30, verbose=2)

out, mu, logvar = vae.predict(x_test, verbose=0)
print("explained: %.3f" % (1 - np.mean((out - x_test) ** 2) / np.mean(x_test ** 2)))
print("mu: mean", mu.mean(axis=0).round(2), "sd", mu.std(axis=0).round(2))
print("posterior sd", np.exp(0.5 * logvar).mean(axis=0).round(2))
print("aggregate sd", np.sqrt(mu.var(axis=0) + np.exp(logvar).mean(axis=0)).round(2))
