import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(28)

high = load_digits().images.astype("float32")[..., None] / 16.0
low = high.reshape(-1, 4, 2, 4, 2, 1).mean(axis=(2, 4))
low_train, low_test = low[:1500], low[1500:]
high_train, high_test = high[:1500], high[1500:]

inputs = keras.Input((4, 4, 1))
x = layers.Conv2D(32, 3, padding="same", activation="relu")(inputs)
x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
x = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(x)
outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
model.fit(low_train, high_train, epochs=25, batch_size=32,
          validation_data=(low_test, high_test), verbose=2)

rec = model.predict(low_test, verbose=0)
print("R2", 1 - ((high_test - rec) ** 2).sum() / ((high_test - high_test.mean(0)) ** 2).sum())
