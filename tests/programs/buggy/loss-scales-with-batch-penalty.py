# expects: loss-scales-with-batch, regulariser-dominates
# must not: softmax-reconstruction, target-outside-output-range, latent-not-narrower
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

atoms = rng.normal(size=(30, 16))
x = ((rng.random((3000, 30)) < 0.1) * rng.exponential(1, (3000, 30)) @ atoms).astype("float32")


class SparseAE(keras.Model):
    def __init__(self, m=64, l1=2e-3):
        super().__init__()
        self.l1 = l1
        self.encoder = layers.Dense(m, activation="relu")
        self.decoder = layers.Dense(16)

    def call(self, x):
        h = self.encoder(x)
        self.add_loss(self.l1 * ops.sum(ops.abs(h)))  # over units and rows
        return self.decoder(h)


model = SparseAE()
model.compile(optimizer="adam", loss="mse")
model.fit(x, x, epochs=25, batch_size=256, verbose=2)
rec = model.predict(x, verbose=0)
print("codes at zero", (np.maximum(model.encoder(x), 0) == 0).mean())
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
