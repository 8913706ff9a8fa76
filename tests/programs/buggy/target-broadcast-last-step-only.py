# expects: target-broadcast
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import numpy as np
import keras
from keras.models import Sequential
from keras.layers import LSTM, Dense, RepeatVector

np.random.seed(7)
keras.utils.set_random_seed(7)

hours = np.arange(24)


def day():
    base = np.random.uniform(20, 40)
    morning = np.random.uniform(0, 30) * np.exp(-0.5 * ((hours - 8) / 2.0) ** 2)
    evening = np.random.uniform(5, 45) * np.exp(-0.5 * ((hours - 19) / 2.5) ** 2)
    return base + morning + evening + np.random.normal(0, 0.8, 24)


curves = np.array([day() for _ in range(1200)])
mean, std = curves[:1000].mean(), curves[:1000].std()
curves = (curves - mean) / std
X = curves.reshape(-1, 24, 1).astype("float32")
X_train, X_test = X[:1000], X[1000:]

model = Sequential()
model.add(keras.Input(shape=(24, 1)))
model.add(LSTM(24))
model.add(RepeatVector(24))
model.add(LSTM(24))
model.add(Dense(1))
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.005), loss="mse")

history = model.fit(X_train, X_train, epochs=32, batch_size=40, verbose=2,
                    validation_data=(X_test, X_test))
print("final loss", history.history["loss"][-1], "val", history.history["val_loss"][-1])
print("mwh rmse", std * history.history["val_loss"][-1] ** 0.5)
