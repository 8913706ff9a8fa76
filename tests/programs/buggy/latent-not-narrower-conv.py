# expects: latent-not-narrower
# must not: collapsed-to-mean, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().images[..., None].astype("float32") / 16

inputs = keras.Input((8, 8, 1))
h = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
code = layers.Conv2D(4, 3, padding="same", activation="relu", name="code")(h)  # 8*8*4 = 256 numbers for 64 pixels
h = layers.Conv2D(8, 3, padding="same", activation="relu")(code)
outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
model.fit(x, x, epochs=12, batch_size=32, validation_split=0.1, verbose=2)
rec = model.predict(x, verbose=0)
print("R2", 1 - ((x - rec) ** 2).sum() / ((x - x.mean(0)) ** 2).sum())
