# yes/no answers: binary cross-entropy is the likelihood, and accuracy means what it says
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(50)
rng = np.random.default_rng(50)

people, questions = 2500, 40
trait = rng.normal(size=(people, 4))
loading = rng.normal(0, 3, size=(4, questions))
answers = (rng.random((people, questions)) < 1 / (1 + np.exp(-trait @ loading))).astype("float32")
train, test = answers[:2000], answers[2000:]

model = keras.Sequential([
    keras.Input((questions,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(4),
    layers.Dense(64, activation="relu"),
    layers.Dense(questions, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="binary_crossentropy", metrics=["binary_accuracy"])
model.fit(train, train, epochs=30, batch_size=64, validation_data=(test, test), verbose=2)

rec = model.predict(test, verbose=0)
print("R2", 1 - ((test - rec) ** 2).sum() / ((test - test.mean(0)) ** 2).sum())
