# expects: target-not-input, target-broadcast
# must not: softmax-reconstruction
import keras
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

X, y = load_digits(return_X_y=True)
y = y.reshape(-1, 1).astype("float32")
X = X / 16.0
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=1)

ae = keras.Sequential()
ae.add(keras.Input(shape=(64,)))
ae.add(keras.layers.Dense(32, activation="relu"))
ae.add(keras.layers.Dense(16, activation="relu"))
ae.add(keras.layers.Dense(32, activation="relu"))
ae.add(keras.layers.Dense(64))
ae.compile(loss="mse", optimizer="adam")
ae.fit(X_train, y_train, epochs=50, batch_size=32, validation_data=(X_test, y_test), verbose=2)

rec = ae.predict(X_test, verbose=0)
print("R2", 1 - ((X_test - rec) ** 2).sum() / ((X_test - X_test.mean(0)) ** 2).sum())
