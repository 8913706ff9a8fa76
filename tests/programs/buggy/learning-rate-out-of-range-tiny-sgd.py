# expects: learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_breast_cancer().data)

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(6),
    layers.Dense(16, activation="relu"),
    layers.Dense(30),
])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=1e-5), loss="mse")
model.fit(X, X, epochs=80, batch_size=32, validation_split=0.2, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
