# expects: dead-units, learning-rate-out-of-range, relu-latent
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(2)

x = load_digits().images[..., None].astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

inputs = keras.Input((8, 8, 1))
h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
h = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(h)
h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.08), loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=12, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
