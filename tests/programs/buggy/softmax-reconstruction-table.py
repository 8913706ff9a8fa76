# expects: softmax-reconstruction, target-outside-output-range, categorical-loss-on-vectors
# must not: overfitting
import keras
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

x = StandardScaler().fit_transform(load_diabetes().data)

autoencoder = keras.Sequential()
autoencoder.add(keras.Input((10,)))
autoencoder.add(keras.layers.Dense(8, activation="relu"))
autoencoder.add(keras.layers.Dense(4, activation="relu"))
autoencoder.add(keras.layers.Dense(8, activation="relu"))
autoencoder.add(keras.layers.Dense(10, activation="softmax"))
autoencoder.compile(optimizer="adam", loss="categorical_crossentropy")
autoencoder.fit(x, x, epochs=60, batch_size=32, verbose=2)

rec = autoencoder.predict(x, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
