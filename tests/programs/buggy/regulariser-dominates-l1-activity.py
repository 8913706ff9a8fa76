# expects: regulariser-dominates
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import os

import keras
import numpy as np
from keras import layers, regularizers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    x_train = f["x_train"][:3000].reshape(-1, 784).astype("float32") / 255
    x_test = f["x_test"][:500].reshape(-1, 784).astype("float32") / 255

input_img = keras.Input(shape=(784,))
encoded = layers.Dense(32, activation="relu", activity_regularizer=regularizers.l1(1e-1))(input_img)
decoded = layers.Dense(784, activation="sigmoid")(encoded)
model = keras.Model(input_img, decoded)
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=20, batch_size=64, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("same blob for every digit, std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
