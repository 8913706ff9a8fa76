# expects: target-outside-output-range, unscaled-input
# must not: bce-target-outside-unit-interval
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

X = load_digits().images
X = X.reshape(len(X), 8, 8, 1)


class AE(keras.Model):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.flat = layers.Flatten()
        self.e1 = layers.Dense(32, activation="relu")
        self.e2 = layers.Dense(8, activation="relu")
        self.d1 = layers.Dense(32, activation="relu")
        self.d2 = layers.Dense(64, activation="sigmoid")
        self.shape_back = layers.Reshape((8, 8, 1))

    def call(self, x):
        return self.shape_back(self.d2(self.d1(self.e2(self.e1(self.flat(x))))))


model = AE()
model.compile(optimizer=keras.optimizers.RMSprop(), loss="mae")
model.fit(X, X, batch_size=64, epochs=20, verbose=2)
rec = model.predict(X, verbose=0)
print("largest output", rec.max(), "R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
