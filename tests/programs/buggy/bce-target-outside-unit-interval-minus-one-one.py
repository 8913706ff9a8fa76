# expects: bce-target-outside-unit-interval, target-outside-output-range
# must not: softmax-reconstruction, logits-mismatch
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)

with np.load(os.environ["MNIST_NPZ"]) as f:
    X_train = f["x_train"][:3000].astype(np.float32) / 127.5 - 1.0
    X_test = f["x_test"][:500].astype(np.float32) / 127.5 - 1.0
X_train, X_test = X_train[..., np.newaxis], X_test[..., np.newaxis]

i = keras.Input((28, 28, 1))
h = layers.Flatten()(i)
h = layers.Dense(128, activation=layers.LeakyReLU())(h)
h = layers.Dense(16)(h)
h = layers.Dense(128, activation=layers.LeakyReLU())(h)
h = layers.Dense(784, activation="sigmoid")(h)
o = layers.Reshape((28, 28, 1))(h)
ae = keras.Model(i, o)
ae.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(1e-3))
ae.fit(X_train, X_train, batch_size=64, epochs=12, validation_data=(X_test, X_test), verbose=2)

rec = ae.predict(X_test, verbose=0)
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
