# expects: train-eval-gap
# must not: softmax-reconstruction, target-outside-output-range, target-not-input
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

# 4 steps an epoch: after 10 epochs the moving averages are still half their start values
X = StandardScaler().fit_transform(load_breast_cancer().data) * 0.2 + 1.0

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32),
    layers.BatchNormalization(),
    layers.Activation("relu"),
    layers.Dense(8),
    layers.BatchNormalization(),
    layers.Dense(32),
    layers.BatchNormalization(),
    layers.Activation("relu"),
    layers.Dense(30),
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(X, X, epochs=10, batch_size=128, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
