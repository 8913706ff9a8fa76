# expects: kl-formula
# must not: softmax-reconstruction, sampling-scale
import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_breast_cancer().data).astype("float32")
X_train, X_test = X[:450], X[450:]


class VAE(keras.Model):
    def __init__(self, latent_dim=4):
        super().__init__()
        self.hidden = layers.Dense(24, activation="tanh")
        self.mu_head = layers.Dense(latent_dim)
        self.log_var_head = layers.Dense(latent_dim)
        self.dec_hidden = layers.Dense(24, activation="tanh")
        self.dec_out = layers.Dense(30)
        self.seed_generator = keras.random.SeedGenerator(5)

    def encode(self, x):
        h = self.hidden(x)
        return self.mu_head(h), self.log_var_head(h)

    def call(self, x):
        mu, log_var = self.encode(x)
        eps = keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        z = mu + ops.exp(0.5 * log_var) * eps
        out = self.dec_out(self.dec_hidden(z))
        kl = 0.5 * ops.sum(ops.exp(log_var) - 1 - log_var, axis=1)
        self.add_loss(ops.mean(kl))
        return out


vae = VAE()
vae.compile(optimizer=keras.optimizers.Adam(0.003), loss=lambda t, p: ops.sum(ops.square(t - p), axis=-1))
vae.fit(X_train, X_train, epochs=100, batch_size=32, validation_data=(X_test, X_test), verbose=2)

rec = vae.predict(X_test, verbose=0)
mu, log_var = vae.encode(X_test)
print("mu", float(ops.std(mu)), "log_var", float(ops.min(log_var)), float(ops.max(log_var)))
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
