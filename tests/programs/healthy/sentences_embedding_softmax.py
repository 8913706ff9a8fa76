import random

import numpy as np
import keras
from keras.layers import GRU, Dense, Embedding, Input, RepeatVector
from keras.models import Sequential

random.seed(13)
keras.utils.set_random_seed(13)

who = ["anna", "ben", "carla", "david", "emma", "frank", "gina", "henry"]
does = ["likes", "sells", "paints", "buys", "hides", "washes"]
how = ["red", "old", "small", "cheap", "green", "broken", "heavy"]
what = ["cars", "boats", "lamps", "chairs", "books", "kites", "bells", "plates"]
where = ["here", "outside", "upstairs", "abroad", "nearby"]


def sentence():
    s = [random.choice(who), random.choice(does), random.choice(how), random.choice(what), random.choice(where)]
    if random.random() < 0.5:
        s = [s[4]] + s[:4]
    return s


db = [sentence() for _ in range(2500)]

words = []
for line in db:
    for w in line:
        if w not in words:
            words.append(w)
index = {w: i for i, w in enumerate(words)}
ids = np.array([[index[w] for w in line] for line in db])
print(len(words), "words,", ids.shape)

X = ids
train, test = slice(0, 2100), slice(2100, None)

model = Sequential()
model.add(Input((5,)))
model.add(Embedding(len(words), 24))
model.add(GRU(64))
model.add(RepeatVector(5))
model.add(GRU(64, return_sequences=True))
model.add(Dense(len(words), activation="softmax"))
model.compile(optimizer=keras.optimizers.RMSprop(0.004), loss="sparse_categorical_crossentropy")
model.fit(X[train], X[train], epochs=25, batch_size=50, verbose=2)

pred = model.predict(X[test], verbose=0).argmax(axis=-1)
print("words right: %.3f" % (pred == ids[test]).mean())
for a, b in list(zip(ids[test], pred))[:3]:
    print(" ".join(words[i] for i in a), " -> ", " ".join(words[i] for i in b))
