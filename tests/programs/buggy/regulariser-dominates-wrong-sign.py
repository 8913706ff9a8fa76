# expects: regulariser-dominates, loss-not-minimal-at-target
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16


class SparseKL(layers.Layer):
    """Average activation of each unit should be rho."""

    def __init__(self, rho=0.05, weight=0.1, **kwargs):
        super().__init__(**kwargs)
        self.rho, self.weight = rho, weight

    def call(self, h):
        mean = ops.clip(ops.mean(h, axis=0), 1e-6, 1 - 1e-6)
        kl = self.rho * ops.log(self.rho / mean) + (1 - self.rho) * ops.log((1 - self.rho) / (1 - mean))
        self.add_loss(-self.weight * ops.sum(kl))
        return h


inputs = keras.Input((64,))
h = layers.Dense(32, activation="sigmoid")(inputs)
h = SparseKL()(h)
outputs = layers.Dense(64, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
model.fit(x, x, epochs=40, batch_size=32, validation_split=0.1, verbose=2)
rec = model.predict(x, verbose=0)
print("the loss is negative")
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
