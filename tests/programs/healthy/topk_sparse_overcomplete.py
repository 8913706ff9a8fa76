# sparse autoencoder that keeps the k largest of many features
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(20)
rng = np.random.default_rng(20)

d, m, k = 24, 96, 6
directions = rng.normal(size=(60, d))
directions /= np.linalg.norm(directions, axis=1, keepdims=True)
active = rng.random((4000, 60)) < 0.06
x = ((active * rng.uniform(0.5, 1.5, active.shape)) @ directions).astype("float32")
x_train, x_test = x[:3500], x[3500:]


class TopK(layers.Layer):
    def __init__(self, k, **kwargs):
        super().__init__(**kwargs)
        self.k = k

    def call(self, x):
        x = ops.relu(x)
        smallest = ops.top_k(x, self.k)[0][:, -1:]
        return ops.where(x >= smallest, x, ops.zeros_like(x))


inputs = keras.Input(shape=(d,))
h = layers.Dense(m)(inputs)
h = TopK(k)(h)
outputs = layers.Dense(d)(h)
sae = keras.Model(inputs, outputs)
sae.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
sae.fit(x_train, x_train, epochs=50, batch_size=128, validation_data=(x_test, x_test), verbose=2)

rec = sae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
