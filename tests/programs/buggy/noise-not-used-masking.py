# expects: noise-not-used
# must not: target-not-input, noisy-target
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)


def add_noise(a, scale=0.5, seed=0):
    return a + np.random.default_rng(seed).normal(0, scale, a.shape)


data = StandardScaler().fit_transform(load_breast_cancer().data)
train, test = data[:450], data[450:]
corrupted_train = add_noise(train)
corrupted_test = add_noise(test, seed=1)

inputs = keras.Input((30,))
h = layers.Dense(32, activation="relu")(inputs)
h = layers.Dense(8)(h)
h = layers.Dense(32, activation="relu")(h)
outputs = layers.Dense(30)(h)
dae = keras.Model(inputs, outputs)
dae.compile(loss="mse", optimizer="adam")
dae.fit(train, train, validation_data=(test, test), epochs=80, batch_size=32, verbose=2)

print("clean rows", dae.evaluate(test, test, verbose=0), "corrupted rows", dae.evaluate(corrupted_test, test, verbose=0))
