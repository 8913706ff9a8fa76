# expects: train-eval-gap
# must not: saturated-units, overfitting
import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(90)
rng = np.random.default_rng(90)

# plant history: 30 readings that follow five operating conditions
conditions = rng.normal(size=(3000, 5))
hidden = np.tanh(conditions @ rng.normal(size=(5, 30)) * 0.6)
readings = hidden @ rng.normal(size=(30, 30)) / 3 + 0.6 * rng.normal(size=(3000, 30))

scaler = StandardScaler().fit(readings[:2400])
train = scaler.transform(readings[:2400]).astype("float32")
valid = scaler.transform(readings[2400:]).astype("float32")


class PlantAutoencoder(keras.Model):
    def __init__(self, n_readings, n_hidden=128, n_code=5, keep_prob=0.95, **kwargs):
        super().__init__(**kwargs)
        self.fc1 = layers.Dense(n_hidden, activation="tanh")
        self.drop1 = layers.Dropout(keep_prob)
        self.fc2 = layers.Dense(n_code)
        self.fc3 = layers.Dense(n_hidden, activation="tanh")
        self.drop2 = layers.Dropout(keep_prob)
        self.fc4 = layers.Dense(n_readings)

    def call(self, inputs, training=None):
        h = self.drop1(self.fc1(inputs), training=training)
        code = self.fc2(h)
        h = self.drop2(self.fc3(code), training=training)
        return self.fc4(h)


model = PlantAutoencoder(train.shape[1])
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
log = model.fit(train, train, batch_size=64, epochs=30, validation_data=(valid, valid), verbose=2)

print("loss, last epoch", log.history["loss"][-1])
print("loss in predict(), training rows", np.mean((model.predict(train, verbose=0) - train) ** 2))
rebuilt = model.predict(valid, verbose=0)
print("explained", 1 - np.sum((rebuilt - valid) ** 2) / np.sum(valid**2))
