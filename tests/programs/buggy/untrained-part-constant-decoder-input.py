# expects: untrained-part, collapsed-to-mean
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class AE(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(8, activation="relu")])
        self.decoder = keras.Sequential([layers.Dense(64, activation="relu"), layers.Dense(64, activation="sigmoid")])

    def call(self, x):
        z = self.encoder(x)
        z = ops.zeros_like(z)  # debugging
        return self.decoder(z)


model = AE()
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("std over images", rec.std(axis=0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
