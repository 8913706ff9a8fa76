# expects: categories-as-numbers, unscaled-input
# must not: softmax-reconstruction
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

# word indices of short sentences, from a vocabulary of 500
vocabulary, length = 500, 12
p = 1 / np.arange(1, vocabulary + 1)
sentences = rng.choice(np.arange(1, vocabulary + 1), size=(3000, length), p=p / p.sum())

model = keras.Sequential([
    keras.Input((length,)),
    layers.Dense(32, activation="relu"),
    layers.Dense(6, activation="relu"),
    layers.Dense(32, activation="relu"),
    layers.Dense(length),
])
model.compile(optimizer="adam", loss="mse")
model.fit(sentences, sentences, epochs=20, batch_size=64, validation_split=0.1, verbose=2)
rec = np.round(model.predict(sentences, verbose=0))
print("words right", (rec == sentences).mean())
