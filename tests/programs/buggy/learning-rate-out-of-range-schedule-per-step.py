# expects: learning-rate-out-of-range, loss-not-decreasing
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import argparse
import math
import os

import keras
import numpy as np
from keras import layers

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--decay", type=float, default=0.95)
parser.add_argument("--seed", type=int, default=4)


class Digits(keras.utils.PyDataset):
    def __init__(self, images, batch_size, shuffle=True, **kwargs):
        super().__init__(**kwargs)
        self.images, self.batch_size, self.shuffle = images, batch_size, shuffle
        self.rng = np.random.default_rng(0)
        self.order = np.arange(len(images))

    def __len__(self):
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        batch = self.images[rows].astype("float32") / 255.0
        return batch, batch

    def on_epoch_end(self):
        if self.shuffle:
            self.rng.shuffle(self.order)


def autoencoder(code=16):
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(code, name="code"),
            layers.Dense(128, activation="relu"),
            layers.Dense(28 * 28, activation="sigmoid"),
            layers.Reshape((28, 28)),
        ]
    )


def main(args):
    keras.utils.set_random_seed(args.seed)
    mnist = np.load(os.environ["MNIST_NPZ"])
    train = Digits(mnist["x_train"][:3200], args.batch_size)
    valid = Digits(mnist["x_test"][:512], args.batch_size, shuffle=False)

    # multiplied by args.decay after every epoch
    schedule = keras.optimizers.schedules.ExponentialDecay(
        args.lr, decay_steps=1, decay_rate=args.decay, staircase=True
    )
    model = autoencoder()
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
    model.fit(train, validation_data=valid, epochs=args.epochs, verbose=2)

    x = mnist["x_test"][:512] / 255.0
    print("psnr", -10 * np.log10(np.mean((model.predict(x, verbose=0) - x) ** 2)))


if __name__ == "__main__":
    main(parser.parse_args())
