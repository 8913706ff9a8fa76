# expects: categorical-loss-on-vectors, softmax-reconstruction
# must not: target-not-input, unscaled-input
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# which of 30 ingredients are in a recipe
taste = rng.normal(size=(2000, 4))
basket = (taste @ rng.normal(size=(4, 30)) + rng.normal(0, 0.5, (2000, 30)) > 1.0).astype("float32")
basket = basket[basket.sum(axis=1) > 0]
print("ingredients per recipe", basket.sum(axis=1).mean())

model = keras.Sequential([
    keras.Input((30,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(6, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(30, activation="softmax"),
])
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(basket, basket, epochs=20, batch_size=32, validation_split=0.2, verbose=2)
rec = model.predict(basket, verbose=0)
print("largest output of rows with 5 or more:", rec[basket.sum(axis=1) >= 5].max(axis=1).mean())
print("R2", 1 - ((basket - rec) ** 2).sum() / ((basket - basket.mean(0)) ** 2).sum())
