# expects: loss-not-minimal-at-target, collapsed-to-mean
# must not: softmax-reconstruction, target-not-input
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


def my_mse(y_true, y_pred):
    # the mean is taken over the batch before the square
    return ops.mean(ops.square(ops.mean(y_true, axis=0) - ops.mean(y_pred, axis=0)))


model = keras.Sequential([
    keras.Input((64,)),
    layers.Dense(64, activation="relu"),
    layers.Dense(16, activation="relu"),
    layers.Dense(64, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])
model.compile(optimizer="adam", loss=my_mse)
model.fit(x_train, x_train, epochs=25, batch_size=32, validation_data=(x_test, x_test), verbose=2)
rec = model.predict(x_test, verbose=0)
print("loss is fine:", model.evaluate(x_test, x_test, verbose=0))
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
