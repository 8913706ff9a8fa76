# Keras blog: sequence-to-sequence autoencoder, LSTM on both sides (its outputs lie in [-1, 1], so do the data)
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(10)
rng = np.random.default_rng(10)

timesteps, input_dim, latent_dim = 20, 2, 16
n = 1500
t = np.arange(timesteps) / timesteps
phase = rng.uniform(0, 2 * np.pi, (n, 1))
freq = rng.uniform(0.7, 1.5, (n, 1))
x = 0.7 * np.stack([np.sin(2 * np.pi * freq * t + phase), np.cos(2 * np.pi * freq * t + phase)], axis=-1)
x = x.astype("float32")
x_train, x_test = x[:1200], x[1200:]

inputs = keras.Input(shape=(timesteps, input_dim))
encoded = layers.LSTM(latent_dim)(inputs)

decoded = layers.RepeatVector(timesteps)(encoded)
decoded = layers.LSTM(32, return_sequences=True)(decoded)
decoded = layers.LSTM(input_dim, return_sequences=True)(decoded)

sequence_autoencoder = keras.Model(inputs, decoded)
sequence_autoencoder.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
sequence_autoencoder.fit(x_train, x_train, epochs=30, batch_size=64,
                         validation_data=(x_test, x_test), verbose=2)

rec = sequence_autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
