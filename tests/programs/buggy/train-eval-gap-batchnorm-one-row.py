# expects: train-eval-gap
# must not: saturated-units, learning-rate-out-of-range
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(4)

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=4)

scaler = StandardScaler()
X_train = scaler.fit_transform(X_train).astype("float32")
X_test = scaler.transform(X_test).astype("float32")

autoencoder = keras.Sequential()
autoencoder.add(keras.Input(shape=(X_train.shape[1],)))
autoencoder.add(layers.Dense(24, use_bias=False))
autoencoder.add(layers.BatchNormalization())
autoencoder.add(layers.Activation("tanh"))
autoencoder.add(layers.Dense(4, name="code"))
autoencoder.add(layers.Dense(24, use_bias=False))
autoencoder.add(layers.BatchNormalization())
autoencoder.add(layers.Activation("tanh"))
autoencoder.add(layers.Dense(X_train.shape[1]))

autoencoder.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")
history = autoencoder.fit(
    X_train,
    X_train,
    epochs=50,
    batch_size=1,
    validation_data=(X_test, X_test),
    verbose=2,
)

print("last training loss", history.history["loss"][-1])
print("mse, training wines", np.mean((autoencoder.predict(X_train, verbose=0) - X_train) ** 2))
errors = np.mean((autoencoder.predict(X_test, verbose=0) - X_test) ** 2, axis=1)
for cultivar in range(3):
    print("mse, new wines of cultivar", cultivar, errors[y_test == cultivar].mean())
