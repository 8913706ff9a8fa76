# expects: noise-not-used
# must not: noisy-target, target-not-input
import os

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(10)
rng = np.random.default_rng(10)

data = np.load(os.environ["MNIST_NPZ"])
train = data["x_train"][:4000, ::2, ::2].reshape(-1, 196).astype("float32") / 255
test = data["x_test"][:500, ::2, ::2].reshape(-1, 196).astype("float32") / 255

encoder = keras.Sequential([keras.Input((196,)), layers.Dense(256, activation="relu"), layers.Dense(48)], name="encoder")
decoder = keras.Sequential(
    [keras.Input((48,)), layers.Dense(256, activation="relu"), layers.Dense(196, activation="sigmoid")], name="decoder"
)
dae = keras.Sequential([encoder, decoder], name="dae")
dae.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")

num_epochs, batch_size, drop = 25, 80, 0.5
for epoch in range(num_epochs):
    order = rng.permutation(len(train))
    losses = []
    for start in range(0, len(train), batch_size):
        img = train[order[start : start + batch_size]]
        noise = (rng.random(img.shape) > drop).astype("float32")
        img_bad = img * noise
        losses.append(float(dae.train_on_batch(img, img)))
    print("epoch [%d/%d], loss %.4f" % (epoch + 1, num_epochs, np.mean(losses)))

test_bad = test * (rng.random(test.shape) > drop).astype("float32")
filled = dae.predict(test_bad, verbose=0)
print("mse with holes %.4f, filled in %.4f" % (np.mean((test_bad - test) ** 2), np.mean((filled - test) ** 2)))
