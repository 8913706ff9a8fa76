# a variational autoencoder whose train_step is written for the JAX backend
import os

import jax
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(14)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:4000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255


class VAE(keras.Model):
    def __init__(self, latent_dim=6):
        super().__init__()
        self.hidden = layers.Dense(128, activation="relu")
        self.mean_head = layers.Dense(latent_dim)
        self.log_var_head = layers.Dense(latent_dim)
        self.dec_hidden = layers.Dense(128, activation="relu")
        self.dec_out = layers.Dense(784, activation="sigmoid")
        self.seed_gen = keras.random.SeedGenerator(3)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def call(self, x):
        h = self.hidden(x)
        mean, log_var = self.mean_head(h), self.log_var_head(h)
        z = mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed_gen)
        return self.dec_out(self.dec_hidden(z)), mean, log_var

    @property
    def metrics(self):
        return [self.loss_tracker]

    def compute_loss_and_updates(self, trainable_variables, non_trainable_variables, x):
        (rec, mean, log_var), non_trainable_variables = self.stateless_call(
            trainable_variables, non_trainable_variables, x
        )
        rec_loss = ops.mean(784 * keras.losses.binary_crossentropy(x, rec))
        kl = -0.5 * ops.mean(ops.sum(1 + log_var - mean**2 - ops.exp(log_var), axis=-1))
        return rec_loss + kl, non_trainable_variables

    def train_step(self, state, data):
        trainable, non_trainable, optimizer_variables, metrics_variables = state
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        grad_fn = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, non_trainable), grads = grad_fn(trainable, non_trainable, x)
        trainable, optimizer_variables = self.optimizer.stateless_apply(
            optimizer_variables, grads, trainable
        )
        metrics_variables = self.loss_tracker.stateless_update_state(metrics_variables, loss)
        logs = {"loss": self.loss_tracker.stateless_result(metrics_variables)}
        return logs, (trainable, non_trainable, optimizer_variables, metrics_variables)


vae = VAE()
vae.build((None, 784))
vae.compile(optimizer=keras.optimizers.Adam(1e-3))
vae.fit(x_train, epochs=15, batch_size=64, verbose=2)

rec = vae.predict(x_test, verbose=0)[0]
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
