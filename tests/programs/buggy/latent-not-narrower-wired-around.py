# expects: latent-not-narrower
# must not: softmax-reconstruction, target-outside-output-range, collapsed-to-mean
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

input_img = keras.Input((64,))
encoded = layers.Dense(128, activation="relu")(input_img)
encoded = layers.Dense(8, activation="relu")(encoded)
# a typing mistake: the decoder starts from the image
decoded = layers.Dense(128, activation="relu")(input_img)
decoded = layers.Dense(64, activation="sigmoid")(decoded)
autoencoder = keras.Model(input_img, decoded)
encoder = keras.Model(input_img, encoded)
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = autoencoder.predict(x_test, verbose=0)
print("suspiciously good with 8 units: R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
