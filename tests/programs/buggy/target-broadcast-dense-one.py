# expects: target-broadcast
# must not: softmax-reconstruction
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(0)

X = MinMaxScaler().fit_transform(load_breast_cancer().data)

# copied from the regression example, the last layer kept its one unit
model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(8, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X, X, epochs=40, batch_size=32, validation_split=0.2, verbose=2)
print("output shape", model.predict(X, verbose=0).shape, "input shape", X.shape)
