# expects: sampling-scale
# must not: kl-formula, activated-heads
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

latent_dim = 6


class Sampling(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        kl = -0.5 * ops.sum(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var), axis=-1)
        self.add_loss(ops.mean(kl))
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + 0.01 * ops.exp(0.5 * z_log_var) * epsilon


inputs = keras.Input((64,))
h = layers.Dense(64, activation="relu")(inputs)
z_mean = layers.Dense(latent_dim, name="z_mean")(h)
z_log_var = layers.Dense(latent_dim, name="z_log_var")(h)
z = Sampling()([z_mean, z_log_var])
h = layers.Dense(64, activation="relu")(z)
outputs = layers.Dense(64, activation="sigmoid")(h)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer=keras.optimizers.Adam(0.002), loss=lambda t, p: 64 * keras.losses.binary_crossentropy(t, p))
vae.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = vae.predict(x_test, verbose=0)
m, s = keras.Model(inputs, [z_mean, z_log_var]).predict(x_test, verbose=0)
print("mean head", m.mean(), m.std(), "spread head", s.min(), s.max())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
