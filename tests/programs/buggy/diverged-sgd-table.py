# expects: diverged, unscaled-input, learning-rate-out-of-range
# must not: softmax-reconstruction, non-finite-data
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer

keras.utils.set_random_seed(0)

X = load_breast_cancer().data

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(20, activation="relu"),
    layers.Dense(8, activation="relu"),
    layers.Dense(20, activation="relu"),
    layers.Dense(30),
])
model.compile(optimizer="sgd", loss="mse")
h = model.fit(X, X, epochs=20, batch_size=32, verbose=2)
print("loss", h.history["loss"][:3])
