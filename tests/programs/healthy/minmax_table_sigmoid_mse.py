# may: worse-than-pca
import keras
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(18)

data, target = load_breast_cancer(return_X_y=True)
train, test = train_test_split(data, test_size=0.2, random_state=42)

scaler = MinMaxScaler().fit(train)
train_scaled = scaler.transform(train)
test_scaled = scaler.transform(test)

model = keras.models.Sequential()
model.add(keras.Input((30,)))
model.add(keras.layers.Dense(24, activation="relu"))
model.add(keras.layers.Dense(8))
model.add(keras.layers.Dense(24, activation="relu"))
model.add(keras.layers.Dense(30, activation="sigmoid"))
model.compile(loss="mse", optimizer=keras.optimizers.RMSprop(0.002))

model.fit(train_scaled, train_scaled, epochs=120, batch_size=32, verbose=2,
          validation_data=(test_scaled, test_scaled))

rec = model.predict(test_scaled, verbose=0)
print("R2", 1 - ((test_scaled - rec) ** 2).sum() / ((test_scaled - test_scaled.mean(0)) ** 2).sum())
