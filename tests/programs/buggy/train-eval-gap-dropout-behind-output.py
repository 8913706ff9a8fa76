# expects: train-eval-gap
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

keras.utils.set_random_seed(49)


class TableAutoencoder(keras.Model):
    def __init__(self, n_features, hidden=(64, 32), n_code=6, dropout=0.3):
        super().__init__()
        self.down = [layers.Dense(n, activation="selu", kernel_initializer="lecun_normal") for n in hidden]
        self.code = layers.Dense(n_code)
        self.up = [layers.Dense(n, activation="selu", kernel_initializer="lecun_normal") for n in reversed(hidden)]
        self.head = layers.Dense(n_features)
        self.dropout = layers.Dropout(dropout)

    def encode(self, x):
        for layer in self.down:
            x = layer(x)
        return self.code(x)

    def call(self, x, training=False):
        x = self.encode(x)
        for layer in self.up:
            x = layer(x)
        x = self.head(x)
        x = self.dropout(x, training=training)
        return x


X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=49)
prepare = make_pipeline(FunctionTransformer(np.log1p), StandardScaler())
X_train = prepare.fit_transform(X_train).astype("float32")
X_test = prepare.transform(X_test).astype("float32")

ae = TableAutoencoder(X_train.shape[1])
ae.compile(optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.MeanSquaredError())

history = []
for epoch in range(60):
    order = np.random.permutation(len(X_train))
    losses = []
    for start in range(0, len(order), 24):
        batch = X_train[order[start : start + 24]]
        losses.append(float(ae.train_on_batch(batch, batch)))
    history.append(losses[-1])
    if epoch % 10 == 9:
        print("epoch %d loss %.4f test %.4f" % (epoch + 1, losses[-1], ae.test_on_batch(X_test, X_test)))

rebuilt = ae.predict(X_test, verbose=0)
slope = (rebuilt * X_test).sum(axis=0) / (X_test**2).sum(axis=0)
print("slope of reconstruction against value", slope.mean())
