# expects: learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data / 16.0

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(12, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adagrad", loss="mse")
model.fit(x, x, epochs=40, batch_size=128, verbose=2)
rec = model.predict(x, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
