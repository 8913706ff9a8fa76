# expects: target-outside-output-range
# must not: unscaled-input, softmax-reconstruction
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64),
    layers.LayerNormalization(),
    layers.Activation("relu"),
    layers.Dense(16),
    layers.Dense(64),
    layers.LayerNormalization(),
    layers.Activation("relu"),
    layers.Dense(64),
    layers.LayerNormalization(center=False, scale=False),
    layers.Activation("tanh"),
])
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("mean of each output row", rec.mean(axis=1)[:5], "of the images", x_test.mean(axis=1)[:5])
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
