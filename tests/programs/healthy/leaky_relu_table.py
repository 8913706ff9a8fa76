# may: worse-than-pca
import keras
from keras import layers
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(22)

X = StandardScaler().fit_transform(load_diabetes().data)
X_train, X_test = X[:350], X[350:]

model = keras.Sequential()
model.add(keras.Input((10,)))
model.add(layers.Dense(16))
model.add(layers.LeakyReLU(negative_slope=0.2))
model.add(layers.Dense(5))
model.add(layers.LeakyReLU(negative_slope=0.2))
model.add(layers.Dense(16))
model.add(layers.LeakyReLU(negative_slope=0.2))
model.add(layers.Dense(10))
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mean_squared_error")
model.fit(X_train, X_train, epochs=200, batch_size=32, validation_data=(X_test, X_test), verbose=2)

rec = model.predict(X_test, verbose=0)
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
