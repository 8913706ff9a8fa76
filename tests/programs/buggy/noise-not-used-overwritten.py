# expects: noise-not-used
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import os

import numpy as np
import keras
from keras import layers

keras.utils.set_random_seed(8)
np.random.seed(8)

DENOISING = True
CORRUPT_PROB = 0.35

mnist = np.load(os.environ["MNIST_NPZ"])
# 28x28 -> 14x14, the net is small
shrink = lambda a: a.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype("float32") / 255.
x_train = shrink(mnist["x_train"][:3000])
x_test = shrink(mnist["x_test"][:500])


def corrupt(x):
    """Salt and pepper."""
    r = np.random.rand(*x.shape)
    y = x.copy()
    y[r < CORRUPT_PROB / 2] = 0.
    y[r > 1 - CORRUPT_PROB / 2] = 1.
    return y


def flat(x):
    return x.reshape(len(x), -1)


if DENOISING:
    current_input = corrupt(x_train)

# 2d -> 1d for the dense net
x_flat = flat(x_train)
current_input = x_flat

noisy_test = flat(corrupt(x_test))

inp = layers.Input(shape=(196,))
h = layers.Dense(128, activation="leaky_relu")(inp)
z = layers.Dense(32)(h)
h = layers.Dense(128, activation="leaky_relu")(z)
rec = layers.Dense(196, activation="sigmoid")(h)
dae = keras.Model(inp, rec)
dae.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss="mse")
dae.fit(current_input, x_flat, epochs=20, batch_size=64, verbose=2)

restored = dae.predict(noisy_test, verbose=0)
print("mse noisy", np.mean((noisy_test - flat(x_test)) ** 2))
print("mse restored", np.mean((restored - flat(x_test)) ** 2))
