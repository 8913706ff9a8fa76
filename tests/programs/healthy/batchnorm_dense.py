import keras
from keras.layers import Activation, BatchNormalization, Dense, Input
from keras.models import Sequential
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(24)

X = load_digits().data / 16.0
X_train, X_val = train_test_split(X, test_size=0.2, random_state=3)

model = Sequential()
model.add(Input(shape=(64,)))
model.add(Dense(128))
model.add(BatchNormalization(momentum=0.9))
model.add(Activation("relu"))
model.add(Dense(16))
model.add(BatchNormalization(momentum=0.9))
model.add(Activation("relu"))
model.add(Dense(128))
model.add(BatchNormalization(momentum=0.9))
model.add(Activation("relu"))
model.add(Dense(64, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(X_train, X_train, batch_size=64, epochs=50, validation_data=(X_val, X_val), verbose=2)

rec = model.predict(X_val, verbose=0)
print("R2", 1 - ((X_val - rec) ** 2).sum() / ((X_val - X_val.mean(0)) ** 2).sum())
