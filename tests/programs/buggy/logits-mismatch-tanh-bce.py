# expects: logits-mismatch
# must not: softmax-reconstruction, unscaled-input
import keras
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(4)

X = MinMaxScaler().fit_transform(load_breast_cancer().data)

inputs = keras.Input((30,))
h = layers.Dense(20, activation="tanh")(inputs)
h = layers.Dense(6, activation="tanh")(h)
h = layers.Dense(20, activation="tanh")(h)
outputs = layers.Dense(30, activation="tanh")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(X, X, epochs=40, batch_size=32, validation_split=0.2, verbose=2)

rec = model.predict(X, verbose=0)
print("output", rec.min(), rec.max())
print("R2", 1 - ((X - rec) ** 2).sum() / ((X - X.mean(0)) ** 2).sum())
