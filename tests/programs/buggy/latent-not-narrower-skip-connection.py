# expects: latent-not-narrower
# must not: softmax-reconstruction, target-outside-output-range, collapsed-to-mean
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

inputs = keras.Input((64,))
e1 = layers.Dense(128, activation="relu")(inputs)
code = layers.Dense(4, name="code")(e1)
d1 = layers.Dense(128, activation="relu")(code)
d1 = layers.Add()([d1, e1])  # "as in a U-Net": nothing has to pass the code
outputs = layers.Dense(64, activation="sigmoid")(d1)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=30, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
