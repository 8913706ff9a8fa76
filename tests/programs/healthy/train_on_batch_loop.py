import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(45)
rng = np.random.default_rng(45)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

encoder = keras.Sequential([keras.Input((64,)), layers.Dense(100, activation="relu"), layers.Dense(16)])
decoder = keras.Sequential([keras.Input((16,)), layers.Dense(100, activation="relu"),
                            layers.Dense(64, activation="sigmoid")])
inputs = keras.Input((64,))
model = keras.Model(inputs, decoder(encoder(inputs)))
model.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")

for epoch in range(30):
    order = rng.permutation(len(x_train))
    for start in range(0, len(order), 64):
        batch = x_train[order[start:start + 64]]
        loss = model.train_on_batch(batch, batch)
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss", loss)

rec = model.predict_on_batch(x_test)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
