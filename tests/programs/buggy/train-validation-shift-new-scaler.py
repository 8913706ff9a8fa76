# expects: train-validation-shift
# must not: target-outside-output-range
import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# a machine's sensors: normal running for training, a hotter month for validation
load = rng.uniform(0, 1, (2500, 1))
gain = rng.uniform(0.5, 2, (1, 8))
sensors = 40 + 20 * load @ gain + rng.normal(0, 1, (2500, 8))
train, val = sensors[:2000], sensors[2000:][load[2000:, 0] > 0.6]

x_train = MinMaxScaler().fit_transform(train)
x_val = MinMaxScaler().fit_transform(val)

model = keras.Sequential([
    keras.Input((8,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(2),
    layers.Dense(16, activation="relu"),
    layers.Dense(8),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_val, x_val), verbose=2)

scaler = MinMaxScaler().fit(train)
v = scaler.transform(val)
print("validation as measured", model.evaluate(x_val, x_val, verbose=0), "with the right scaler", model.evaluate(v, v, verbose=0))
