# expects: saturated-units
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
""" Auto Encoder Example.
Build a 2 layers auto-encoder to compress images to a lower latent space
and then reconstruct them.
"""
import os

import keras
import numpy as np

keras.utils.set_random_seed(0)

# Training Parameters
learning_rate = 0.001
num_epochs = 25
batch_size = 50
display_step = 5

# Network Parameters
num_hidden_1 = 128  # 1st layer num features
num_hidden_2 = 32   # 2nd layer num features (the latent dim)
num_input = 784     # MNIST data input (img shape: 28*28)


def fully_connected(units, activation):
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomNormal(mean=0.0, stddev=1.0),
    )


# Building the encoder
def encoder(x):
    layer_1 = fully_connected(num_hidden_1, "tanh")(x)
    layer_2 = fully_connected(num_hidden_2, "tanh")(layer_1)
    return layer_2


# Building the decoder
def decoder(x):
    layer_1 = fully_connected(num_hidden_1, "tanh")(x)
    layer_2 = fully_connected(num_input, "sigmoid")(layer_1)
    return layer_2


# Construct model
X = keras.Input(shape=(num_input,))
model = keras.Model(X, decoder(encoder(X)))
model.compile(optimizer=keras.optimizers.Adam(learning_rate), loss="mean_squared_error")

with np.load(os.environ["MNIST_NPZ"]) as mnist:
    train = mnist["x_train"][:2500].reshape(-1, num_input) / np.float32(255)
    test = mnist["x_test"][:400].reshape(-1, num_input) / np.float32(255)

model.fit(train, train, epochs=num_epochs, batch_size=batch_size, verbose=2)

# Testing: encode and decode images from the test set
g = model.predict(test, verbose=0)
print("Original images vs reconstructed, mse: %.4f" % np.mean((g - test) ** 2))
