# expects: posterior-collapse, kl-scale-mismatch
# must not: kl-formula, sampling-scale, activated-heads
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
beta = 100.0


class Sample(layers.Layer):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        mu, log_var = inputs
        kl = 0.5 * ops.sum(ops.exp(log_var) + mu**2 - 1 - log_var, axis=1)
        self.add_loss(beta * ops.mean(kl))
        return mu + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mu), seed=self.seed_generator)


inputs = keras.Input((64,))
h = layers.Dense(64, activation="elu")(inputs)
z = Sample()([layers.Dense(6)(h), layers.Dense(6)(h)])
h = layers.Dense(64, activation="elu")(z)
outputs = layers.Dense(64, activation="sigmoid")(h)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer="adam", loss=lambda t, p: 64 * keras.losses.binary_crossentropy(t, p))
vae.fit(x, x, epochs=30, batch_size=32, verbose=2)
rec = vae.predict(x, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
