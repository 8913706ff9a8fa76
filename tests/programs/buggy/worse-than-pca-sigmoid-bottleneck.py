# expects: worse-than-pca, learning-rate-out-of-range
# must not: softmax-reconstruction, target-outside-output-range, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X = StandardScaler().fit_transform(load_breast_cancer().data)

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(10, activation="sigmoid"),
    layers.Dense(5, activation="sigmoid"),
    layers.Dense(10, activation="sigmoid"),
    layers.Dense(30),
])
model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.9), loss="mse")
model.fit(X, X, epochs=150, batch_size=32, verbose=2)
rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum(), "(five principal components: 0.85)")
