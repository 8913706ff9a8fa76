# expects: accuracy-on-reconstruction
# must not: target-outside-output-range, learning-rate-out-of-range
import keras
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(0)

X_train, X_test = train_test_split(load_breast_cancer().data, test_size=0.2, random_state=0)
sc = StandardScaler().fit(X_train)
X_train, X_test = sc.transform(X_train), sc.transform(X_test)

input_layer = keras.Input(shape=(30,))
encoder = keras.layers.Dense(20, activation="tanh")(input_layer)
encoder = keras.layers.Dense(8)(encoder)
decoder = keras.layers.Dense(20, activation="tanh")(encoder)
decoder = keras.layers.Dense(30)(decoder)
autoencoder = keras.Model(input_layer, decoder)
autoencoder.compile(optimizer=keras.optimizers.Adam(0.005), loss="mean_squared_error", metrics=["accuracy"])
h = autoencoder.fit(X_train, X_train, epochs=120, batch_size=32, validation_data=(X_test, X_test), verbose=2)
print("accuracy", h.history["accuracy"][-1])
