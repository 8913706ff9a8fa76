# expects: untrained-part
# must not: softmax-reconstruction, target-outside-output-range, learning-rate-out-of-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

encoder = keras.Sequential([keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(8)], name="encoder")
encoder.trainable = False  # left over from the fine-tuning experiment
decoder = keras.Sequential([keras.Input((8,)), layers.Dense(64, activation="relu"),
                            layers.Dense(64, activation="sigmoid")], name="decoder")
inputs = keras.Input((64,))
model = keras.Model(inputs, decoder(encoder(inputs)))
model.compile(optimizer="adam", loss="mse")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
