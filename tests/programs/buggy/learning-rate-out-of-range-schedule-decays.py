# expects: learning-rate-out-of-range, collapsed-to-mean, loss-not-decreasing
# must not: softmax-reconstruction, target-outside-output-range
import keras
from keras import layers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]

# decay_steps are steps, not epochs: after one epoch nothing is left of the learning rate
schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=1, decay_rate=0.8)
model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(schedule), loss="binary_crossentropy")
model.fit(x_train, x_train, epochs=40, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
