# may: worse-than-pca
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(3)

X = load_breast_cancer().data
X_train, X_test = train_test_split(X, test_size=0.25, random_state=0)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

model = keras.Sequential([
    keras.Input(shape=(30,)),
    keras.layers.Dense(20, activation="tanh"),
    keras.layers.Dense(6),
    keras.layers.Dense(20, activation="tanh"),
    keras.layers.Dense(30, activation="linear"),
])
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse", metrics=["mae"])
model.fit(X_train, X_train, epochs=150, batch_size=32, validation_data=(X_test, X_test), verbose=2)

rec = model.predict(X_test, verbose=0)
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
