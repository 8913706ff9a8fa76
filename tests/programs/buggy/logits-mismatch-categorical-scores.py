# expects: logits-mismatch
# must not: categorical-loss-on-vectors, softmax-reconstruction
import keras
import numpy as np
from keras.layers import LSTM, Dense, RepeatVector, TimeDistributed
from keras.models import Sequential

keras.utils.set_random_seed(29)
rng = np.random.default_rng(29)

kinds = ["BRK", "NUT", "PIN", "CAP", "ROD", "HUB", "LID", "TEE", "CLP", "FAN"]
materials = ["ST", "AL", "BR", "PA", "CU", "TI", "PE", "ZN"]
sizes = ["M3", "M4", "M5", "M6", "M8", "10", "12", "14", "16", "20", "24", "30", "36", "42"]
finishes = ["A", "B", "K", "R", "S", "X"]
parts = ["-".join([rng.choice(kinds), rng.choice(materials), rng.choice(sizes)]) + rng.choice(finishes)
         for _ in range(3400)]

chars = sorted(set("".join(parts)))
char_to_id = {c: i for i, c in enumerate(chars)}
maxlen = len(parts[0])

X = np.zeros((len(parts), maxlen, len(chars)), dtype="float32")
for i, part in enumerate(parts):
    for t, char in enumerate(part):
        X[i, t, char_to_id[char]] = 1
X_train, X_test = X[:3000], X[3000:]

model = Sequential()
model.add(keras.Input(shape=(maxlen, len(chars))))
model.add(LSTM(24))
model.add(RepeatVector(maxlen))
model.add(LSTM(64, return_sequences=True))
model.add(TimeDistributed(Dense(len(chars))))
model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(0.006))
model.summary()
model.fit(X_train, X_train, batch_size=64, epochs=28, validation_data=(X_test, X_test), verbose=2)

pred = model.predict(X_test, verbose=0).argmax(axis=-1)
for i in range(6):
    print(parts[3000 + i], "->", "".join(chars[j] for j in pred[i]))
print("characters right: %.3f" % np.mean(pred == X_test.argmax(axis=-1)))
