import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(23)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

i = keras.Input((64,))
h = layers.Dense(128, activation="gelu")(i)
h = layers.Dense(64, activation="silu")(h)
h = layers.Dense(12, activation="elu")(h)
h = layers.Dense(64, activation="silu")(h)
h = layers.Dense(128, activation="gelu")(h)
o = layers.Dense(64)(h)
model = keras.Model(i, o)
model.compile(optimizer=keras.optimizers.AdamW(1e-3), loss="mse")
model.fit(x_train, x_train, epochs=50, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
