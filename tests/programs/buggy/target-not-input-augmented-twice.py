# expects: target-not-input
# must not: noisy-target, target-outside-output-range
import math

import keras
import numpy as np
from keras import layers

SIZE = 20


def draw_faces(n, rng):
    """Grey heads: oval, two eyes, mouth, light from one side."""
    yy, xx = np.mgrid[0:SIZE, 0:SIZE] / (SIZE - 1) * 2 - 1
    out = np.empty((n, SIZE, SIZE, 1), "float32")
    for i in range(n):
        w, h = rng.uniform(0.45, 0.65), rng.uniform(0.6, 0.75)
        skin, back = rng.uniform(0.55, 0.9), rng.uniform(0.05, 0.35)
        face = 1 / (1 + np.exp(12 * ((xx / w) ** 2 + (yy / h) ** 2 - 1)))
        light = 1 + rng.uniform(-0.45, 0.45) * xx
        img = back + (skin * light - back) * face
        ex, ey, er = rng.uniform(0.18, 0.28), rng.uniform(-0.3, -0.1), rng.uniform(0.006, 0.02)
        for side in (-1, 1):
            img -= 0.5 * np.exp(-((xx - side * ex) ** 2 + (yy - ey) ** 2) / er)
        my, mw = rng.uniform(0.25, 0.4), rng.uniform(0.03, 0.1)
        img -= 0.35 * np.exp(-xx ** 2 / mw - (yy - my) ** 2 / 0.01)
        out[i, ..., 0] = np.clip(img, 0, 1)
    return out


class FaceBatches(keras.utils.PyDataset):
    def __init__(self, faces, batch_size, augment=False, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.faces = faces
        self.batch_size = batch_size
        self.augment = augment
        self.rng = np.random.default_rng(seed)
        self.order = np.arange(len(faces))

    def __len__(self):
        return math.ceil(len(self.faces) / self.batch_size)

    def random_transform(self, batch):
        batch = batch.copy()
        for i in range(len(batch)):
            if self.rng.random() < 0.5:
                batch[i] = batch[i, :, ::-1]
            dy, dx = self.rng.integers(-3, 4, size=2)
            batch[i] = np.roll(batch[i], (dy, dx), axis=(0, 1))
        return batch

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size:(index + 1) * self.batch_size]
        batch = self.faces[rows]
        if not self.augment:
            return batch, batch
        return self.random_transform(batch), self.random_transform(batch)

    def on_epoch_end(self):
        self.rng.shuffle(self.order)


def build():
    inp = keras.Input((SIZE, SIZE, 1))
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="relu")(inp)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    code = layers.Dense(20, name="code")(x)
    x = layers.Dense(128, activation="relu")(code)
    x = layers.Dense(SIZE * SIZE, activation="sigmoid")(x)
    return keras.Model(inp, layers.Reshape((SIZE, SIZE, 1))(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(17)
    faces = draw_faces(1500, np.random.default_rng(17))
    train = FaceBatches(faces[:1200], 30, augment=True, seed=1)
    val = FaceBatches(faces[1200:], 30)

    ae = build()
    ae.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse", metrics=["mae"])
    ae.fit(train, validation_data=val, epochs=35, verbose=2)
    print(ae.evaluate(val, verbose=0, return_dict=True))
