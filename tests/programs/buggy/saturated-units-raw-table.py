# expects: saturated-units, unscaled-input
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

raw = load_breast_cancer().data  # up to 4254
target = StandardScaler().fit_transform(raw)

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(20, activation="tanh"),
    layers.Dense(8, activation="tanh"),
    layers.Dense(20, activation="tanh"),
    layers.Dense(30),
])
model.compile(optimizer="adam", loss="mse")
model.fit(raw, target, epochs=80, batch_size=32, validation_split=0.2, verbose=2)
h = keras.Sequential(model.layers[:1]).predict(raw, verbose=0)
print("first layer at its bounds", (abs(h) > 0.99).mean())
rec = model.predict(raw, verbose=0)
print("R2", 1 - ((target - rec) ** 2).sum() / ((target - target.mean(0)) ** 2).sum())
