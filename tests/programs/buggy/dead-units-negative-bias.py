# expects: dead-units, relu-latent
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    # meant to make the code sparse
    layers.Dense(16, activation="relu", bias_initializer=keras.initializers.Constant(-2.0), name="code"),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)

code = keras.Sequential(model.layers[:2]).predict(x_test, verbose=0)
print("units that are always 0:", (code == 0).all(axis=0).sum(), "of 16")
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
