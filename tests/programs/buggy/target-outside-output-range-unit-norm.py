# expects: target-outside-output-range, loss-not-minimal-at-target
# must not: unscaled-input, learning-rate-out-of-range
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

x = StandardScaler().fit_transform(load_breast_cancer().data).astype("float32")
x_train, x_test = x[:450], x[450:]

inputs = keras.Input((30,))
h = layers.Dense(20, activation="relu")(inputs)
h = layers.Dense(8)(h)
h = layers.Dense(20, activation="relu")(h)
h = layers.Dense(30)(h)
outputs = layers.UnitNormalization()(h)  # "normalise the output as well"
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
model.fit(x_train, x_train, epochs=80, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
