# expects: logits-mismatch
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(1)

x = load_digits().images[..., None].astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(16),
    layers.Dense(256, activation="relu"),
    layers.Reshape((4, 4, 16)),
    layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
])
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=15, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("output", rec.min(), rec.max())
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
