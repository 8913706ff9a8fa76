# expects: categories-as-numbers
# must not: softmax-reconstruction, target-outside-output-range
import keras
import numpy as np
from keras import layers
from sklearn.preprocessing import MinMaxScaler

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)

n = 2000
customer_id = rng.permutation(np.arange(100000, 100000 + n))
postcode = rng.integers(10000, 99999, n)
age = rng.integers(18, 80, n)
income = 20 + 0.6 * age + rng.normal(0, 6, n)
spending = 0.4 * income + rng.normal(0, 3, n)
visits = np.round(spending / 5 + rng.normal(0, 1, n))
table = np.column_stack([customer_id, postcode, age, income, spending, visits]).astype(float)

X = MinMaxScaler().fit_transform(table)
model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(16, activation="relu"),
    layers.Dense(3),
    layers.Dense(16, activation="relu"),
    layers.Dense(6, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
model.fit(X, X, epochs=60, batch_size=64, verbose=2)
rec = model.predict(X, verbose=0)
print("R2 per column", (1 - ((X - rec) ** 2).sum(0) / ((X - X.mean(0)) ** 2).sum(0)).round(2))
