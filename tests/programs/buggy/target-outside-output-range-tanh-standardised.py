# expects: target-outside-output-range
# must not: softmax-reconstruction, logits-mismatch, bce-target-outside-unit-interval
import keras
import numpy as np
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

data = StandardScaler().fit_transform(load_wine().data)

input_layer = keras.layers.Input(shape=(data.shape[1],))
encoder = keras.layers.Dense(10, activation="tanh")(input_layer)
encoder = keras.layers.Dense(6, activation="tanh")(encoder)
decoder = keras.layers.Dense(10, activation="tanh")(encoder)
decoder = keras.layers.Dense(data.shape[1], activation="tanh")(decoder)

autoencoder = keras.Model(inputs=input_layer, outputs=decoder)
autoencoder.compile(optimizer="adam", loss="mean_squared_error")
history = autoencoder.fit(data, data, epochs=300, batch_size=16, shuffle=True, verbose=2)

rec = autoencoder.predict(data, verbose=0)
print("loss stays at", history.history["loss"][-1])
print("output", rec.min(), rec.max(), "data", data.min(), data.max())
print("R2", 1 - ((data - rec) ** 2).sum() / ((data - data.mean(0)) ** 2).sum())
