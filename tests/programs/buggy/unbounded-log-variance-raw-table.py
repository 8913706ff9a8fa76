# expects: unbounded-log-variance, unscaled-input, diverged
# must not: kl-formula, sampling-scale, non-finite-data
import keras
from keras import layers, ops
from sklearn.datasets import load_wine

keras.utils.set_random_seed(0)

X = load_wine().data.astype("float32")  # proline goes up to 1680


class Sampling(layers.Layer):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs):
        mean, log_var = inputs
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)
        self.add_loss(ops.mean(kl))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


inputs = keras.Input((13,))
h = layers.Dense(16, activation="relu")(inputs)
z = Sampling()([layers.Dense(2)(h), layers.Dense(2)(h)])
h = layers.Dense(16, activation="relu")(z)
outputs = layers.Dense(13)(h)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer="adam", loss="mse")
h = vae.fit(X, X, epochs=20, batch_size=16, verbose=2)
print("loss", h.history["loss"])
