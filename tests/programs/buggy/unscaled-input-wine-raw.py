# expects: unscaled-input
# must not: softmax-reconstruction, accuracy-on-reconstruction
import keras
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

X = load_wine().data
X_train, X_test = train_test_split(X, test_size=0.2, random_state=0)

model = keras.Sequential([
    keras.Input((13,)),
    layers.Dense(8, activation="relu"),
    layers.Dense(4, activation="relu"),
    layers.Dense(8, activation="relu"),
    layers.Dense(13),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X_train, X_train, epochs=150, batch_size=16, validation_data=(X_test, X_test), verbose=2)

rec = model.predict(X_test, verbose=0)
# only proline (around 750) is fitted at all
print("R2 per column", (1 - ((X_test - rec) ** 2).sum(0) / ((X_test - X_test.mean(0)) ** 2).sum(0)).round(2))
