# expects: stopped-too-early
# must not: worse-than-pca, overfitting
import os

import numpy as np
import keras
from keras.callbacks import EarlyStopping
from keras.layers import Dense, Input

keras.utils.set_random_seed(36241)

with np.load(os.environ["MNIST_NPZ"]) as data:
    x_train = data["x_train"][:3000].astype("float32").reshape(-1, 784) / 255.0
    x_val = data["x_test"][:500].astype("float32").reshape(-1, 784) / 255.0

inputs = Input(shape=(784,))
hidden = Dense(128, activation="elu")(inputs)
bottleneck = Dense(16)(hidden)
hidden = Dense(128, activation="elu")(bottleneck)
outputs = Dense(784, activation="sigmoid")(hidden)

autoencoder = keras.Model(inputs, outputs)
autoencoder.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-3), loss="mse")

callbacks = [EarlyStopping(monitor="val_loss", patience=2, min_delta=0.01)]

history = autoencoder.fit(
    x_train,
    x_train,
    epochs=50,
    batch_size=64,
    shuffle=True,
    validation_data=(x_val, x_val),
    callbacks=callbacks,
    verbose=2,
)

decoded = autoencoder.predict(x_val, verbose=0)
print("stopped after", len(history.epoch), "epochs")
print("explained", 1 - ((decoded - x_val) ** 2).sum() / ((x_train.mean(axis=0) - x_val) ** 2).sum())
