# expects: accuracy-on-reconstruction
# must not: target-outside-output-range, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().images / 16.0
x_train, x_test = x[:1500], x[1500:]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Flatten(), layers.Dense(100, activation="relu"), layers.Dense(16)])
        self.decoder = keras.Sequential([layers.Dense(100, activation="relu"),
                                         layers.Dense(64, activation="sigmoid"), layers.Reshape((8, 8))])

    def call(self, x):
        return self.decoder(self.encoder(x))


net = Net()
net.compile(optimizer="adam", loss="mse", metrics=[keras.metrics.BinaryAccuracy()])
h = net.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
print("stuck at", h.history["val_binary_accuracy"][-1], "with mse", h.history["val_loss"][-1])
