# functional VAE: a layer adds the KL, the loss sums the squared error over the pixels
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(31)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class KLDivergence(layers.Layer):
    def call(self, inputs):
        mu, log_var = inputs
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mu) - ops.exp(log_var), axis=-1)
        self.add_loss(0.1 * ops.mean(kl))
        return mu, log_var


class Reparameterize(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(11)

    def call(self, inputs):
        mu, log_var = inputs
        return mu + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mu), seed=self.seed_generator)


inp = keras.Input((64,))
h = layers.Dense(64, activation="relu")(inp)
mu = layers.Dense(8, name="mu")(h)
log_var = layers.Dense(8, name="log_var")(h)
mu, log_var = KLDivergence()([mu, log_var])
z = Reparameterize()([mu, log_var])
h = layers.Dense(64, activation="relu")(z)
out = layers.Dense(64, activation="sigmoid")(h)

vae = keras.Model(inp, out)
vae.compile(optimizer=keras.optimizers.Adam(0.003), loss=lambda t, p: ops.sum(ops.square(t - p), axis=-1))
vae.fit(x_train, x_train, epochs=50, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = vae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
