# expects: untrained-part, collapsed-to-mean
# must not: dead-units, learning-rate-out-of-range
import os

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(316)


class FullyConnected(layers.Layer):
    """y = f(x W + b)"""

    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.W = self.add_weight(shape=(input_shape[-1], self.units), initializer="zeros", name="W")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        return self.activation(ops.matmul(x, self.W) + self.b)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


mnist = np.load(os.environ["MNIST_NPZ"])
train = mnist["x_train"][:2500].reshape(-1, 784).astype("float32") / 255
test = mnist["x_test"][:400].reshape(-1, 784).astype("float32") / 255

x = keras.Input((784,))
h = FullyConnected(128, "tanh")(x)
code = FullyConnected(24)(h)
h = FullyConnected(128, "tanh")(code)
y = FullyConnected(784, "sigmoid")(h)
autoencoder = keras.Model(x, y)
autoencoder.compile(optimizer=keras.optimizers.Adam(0.002), loss="mean_squared_error")

batch_size = 50
for epoch in range(20):
    order = np.random.permutation(len(train))
    total = 0.0
    for i in range(0, len(train), batch_size):
        batch = train[order[i : i + batch_size]]
        total = total + float(autoencoder.train_on_batch(batch, batch))
    print("Epoch:", "%04d" % (epoch + 1), "cost=", "{:.6f}".format(total / (len(train) / batch_size)))

print("test mse", np.mean((autoencoder.predict(test, verbose=0) - test) ** 2))
