import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(17)

x = load_digits().images.astype("float32")
x = x / 8.0 - 1.0  # [-1, 1]
x_train, x_test = x[:1500], x[1500:]

encoder = keras.Sequential([
    layers.Input((8, 8)),
    layers.Flatten(),
    layers.Dense(96, activation="tanh"),
    layers.Dense(12, activation="tanh"),
], name="encoder")
decoder = keras.Sequential([
    layers.Input((12,)),
    layers.Dense(96, activation="tanh"),
    layers.Dense(64, activation="tanh"),
    layers.Reshape((8, 8)),
], name="decoder")

inputs = layers.Input((8, 8))
autoencoder = keras.Model(inputs, decoder(encoder(inputs)))
autoencoder.compile(optimizer="nadam", loss="mse")
autoencoder.fit(x_train, x_train, epochs=60, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = autoencoder.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
