# expects: learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range, dead-units
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().images[..., None].astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

input_img = keras.Input(shape=(8, 8, 1))
x = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(input_img)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(8, (3, 3), activation="relu", padding="same")(x)
encoded = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(8, (3, 3), activation="relu", padding="same")(encoded)
x = layers.UpSampling2D((2, 2))(x)
x = layers.Conv2D(16, (3, 3), activation="relu", padding="same")(x)
x = layers.UpSampling2D((2, 2))(x)
decoded = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)
autoencoder = keras.Model(input_img, decoded)
autoencoder.compile(optimizer=keras.optimizers.Adadelta(), loss="binary_crossentropy")
autoencoder.fit(x_train, x_train, epochs=15, batch_size=64, validation_data=(x_test, x_test), verbose=2)
rec = autoencoder.predict(x_test, verbose=0)
print("grey squares: std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
