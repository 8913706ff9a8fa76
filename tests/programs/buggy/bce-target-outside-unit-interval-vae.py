# expects: bce-target-outside-unit-interval, target-outside-output-range
# must not: kl-formula, sampling-scale
import keras
from keras import layers, ops
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_breast_cancer().data).astype("float32")


class VAE(keras.Model):
    def __init__(self, dim, latent):
        super().__init__()
        self.dim = dim
        self.h1 = layers.Dense(24, activation="relu")
        self.mean = layers.Dense(latent)
        self.logvar = layers.Dense(latent)
        self.h2 = layers.Dense(24, activation="relu")
        self.out = layers.Dense(dim, activation="sigmoid")
        self.rng = keras.random.SeedGenerator(1)

    def call(self, x):
        h = self.h1(x)
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mean), seed=self.rng)
        kl = -0.5 * ops.sum(1 + logvar - ops.square(mean) - ops.exp(logvar), axis=-1)
        rec = self.out(self.h2(z))
        bce = keras.losses.binary_crossentropy(x, rec) * self.dim
        self.add_loss(ops.mean(bce + kl))
        return rec


vae = VAE(30, 4)
vae.compile(optimizer="adam")
vae.fit(X, X, epochs=60, batch_size=32, verbose=2)
rec = vae.predict(X, verbose=0)
print("negative loss, R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
