# expects: bce-target-outside-unit-interval, target-outside-output-range
# must not: loss-scales-with-batch
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# ratings from 0 to 5 of 40 films by 1500 people
taste = rng.normal(size=(1500, 3))
films = rng.normal(size=(3, 40))
ratings = np.clip(np.round(2.5 + taste @ films * 0.8), 0, 5).astype("float32")

model = keras.Sequential([
    keras.Input((40,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(6, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(40, activation="sigmoid"),
])
model.compile(optimizer="adam", loss=keras.losses.BinaryCrossentropy())
model.fit(ratings, ratings, epochs=30, batch_size=64, validation_split=0.2, verbose=2)
rec = model.predict(ratings, verbose=0)
print("R2", 1 - ((ratings - rec) ** 2).sum() / ((ratings - ratings.mean(0)) ** 2).sum())
