# expects: dead-output-units, dead-units
# must not: softmax-reconstruction, target-outside-output-range, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(5)

X = MinMaxScaler().fit_transform(load_breast_cancer().data)

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(16, activation="tanh"),
    layers.Dense(6, activation="tanh"),
    layers.Dense(16, activation="tanh"),
    layers.Dense(30, activation="relu", bias_initializer=keras.initializers.RandomNormal(-1.0, 1.0)),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X, X, epochs=60, batch_size=32, validation_split=0.2, verbose=2)
rec = model.predict(X, verbose=0)
print("columns that are always 0:", (rec == 0).all(axis=0).sum())
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
