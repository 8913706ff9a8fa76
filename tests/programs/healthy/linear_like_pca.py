# a linear autoencoder spans the same space as PCA; that is what is wanted here
# may: worse-than-pca
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(15)

x = load_digits().data / 16.0
x = x - x.mean(axis=0)
x_train, x_test = x[:1400], x[1400:]

model = keras.Sequential([
    keras.Input(shape=(64,)),
    layers.Dense(8, use_bias=False),
    layers.Dense(64, use_bias=False),
])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
model.fit(x_train, x_train, epochs=60, batch_size=64, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
