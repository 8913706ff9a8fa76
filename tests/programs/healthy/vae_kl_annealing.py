import keras
import numpy as np
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(32)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class Sampler(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.kl_weight = self.add_weight(shape=(), initializer="zeros", trainable=False, name="kl_weight")
        self.seed_generator = keras.random.SeedGenerator(4)

    def call(self, inputs):
        mean, log_var = inputs
        kl = -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)
        self.add_loss(self.kl_weight * ops.mean(kl))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_generator)


class Anneal(keras.callbacks.Callback):
    def __init__(self, sampler, epochs):
        super().__init__()
        self.sampler = sampler
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.sampler.kl_weight.assign(min(1.0, epoch / self.epochs))


inputs = keras.Input((64,))
h = layers.Dense(96, activation="elu")(inputs)
z_mean = layers.Dense(6)(h)
z_log_var = layers.Dense(6)(h)
sampler = Sampler()
z = sampler([z_mean, z_log_var])
h = layers.Dense(96, activation="elu")(z)
outputs = layers.Dense(64, activation="sigmoid")(h)
vae = keras.Model(inputs, outputs)


def reconstruction_loss(y_true, y_pred):
    return 64 * keras.losses.binary_crossentropy(y_true, y_pred)


vae.compile(optimizer=keras.optimizers.Adam(0.002), loss=reconstruction_loss)
vae.fit(x_train, x_train, epochs=40, batch_size=32, callbacks=[Anneal(sampler, 20)], verbose=2)

rec = vae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
