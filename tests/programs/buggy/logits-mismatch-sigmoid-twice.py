# expects: logits-mismatch
# must not: softmax-reconstruction, bce-target-outside-unit-interval
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

latent = keras.Input((32,))
h = layers.Dense(128, activation="relu")(latent)
decoder = keras.Model(latent, layers.Dense(784, activation="sigmoid")(h))

inputs = keras.Input((784,))
h = layers.Dense(128, activation="relu")(inputs)
code = layers.Dense(32, activation="relu")(h)
outputs = layers.Activation("sigmoid")(decoder(code))
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=12, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("all grey: outputs between", rec.min(), rec.max())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
