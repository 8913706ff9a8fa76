import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(42)

x = load_digits().data.astype("float32") / 16

model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(128, activation="relu"),
    layers.Dense(20, activation="relu"),
    layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
schedule = keras.optimizers.schedules.CosineDecay(0.003, decay_steps=2500)
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="mse")
model.fit(x, x, epochs=60, batch_size=32, validation_split=0.2, verbose=2, callbacks=[
    keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
])

rec = model.predict(x[-300:], verbose=0)
t = x[-300:]
print("R2", 1 - ((t - rec) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())
