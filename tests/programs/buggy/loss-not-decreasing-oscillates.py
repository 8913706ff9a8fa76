# expects: loss-not-decreasing, learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_wine().data)

model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(16, activation="tanh"),
    layers.Dense(4, activation="tanh"),
    layers.Dense(16, activation="tanh"),
    layers.Dense(13),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=1.5, momentum=0.5), loss="mse")
model.fit(X, X, epochs=60, batch_size=16, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
