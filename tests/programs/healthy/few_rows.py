# 60 rows of a table
# may: worse-than-pca
import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(49)

X = load_wine().data[::3]
X = StandardScaler().fit_transform(X)
print(X.shape)

model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(10, activation="tanh", kernel_regularizer="l2"),
    layers.Dense(4),
    layers.Dense(10, activation="tanh"),
    layers.Dense(13),
])
model.layers[0].kernel_regularizer = keras.regularizers.L2(1e-4)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(X, X, epochs=200, batch_size=8, verbose=2)

rec = model.predict(X, verbose=0)
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
