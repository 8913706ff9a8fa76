import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(21)
rng = np.random.default_rng(21)

d, m = 20, 80
atoms = rng.normal(size=(40, d))
atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
x = ((rng.random((4000, 40)) < 0.08) * rng.exponential(1.0, (4000, 40))) @ atoms
x = x.astype("float32")
x_train, x_test = x[:3500], x[3500:]

inputs = keras.Input((d,))
codes = layers.Dense(m, activation="relu",
                     activity_regularizer=keras.regularizers.L1(1e-4), name="codes")(inputs)
outputs = layers.Dense(d, name="dictionary")(codes)
model = keras.Model(inputs, outputs)
model.compile("adam", "mse")
model.fit(x_train, x_train, epochs=60, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
c = keras.Model(inputs, codes).predict(x_test, verbose=0)
print("share of codes at zero", (c == 0).mean())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
