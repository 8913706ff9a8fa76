# contractive autoencoder: the penalty is the squared Frobenius norm of the encoder's Jacobian
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(33)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class ContractiveEncoder(layers.Layer):
    def __init__(self, units, lam, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.lam = lam

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        h = ops.sigmoid(ops.matmul(x, self.w) + self.b)
        dh = h * (1 - h)
        jacobian = ops.sum(ops.square(dh) * ops.sum(ops.square(self.w), axis=0), axis=1)
        self.add_loss(self.lam * ops.mean(jacobian))
        return h


inputs = keras.Input((64,))
code = ContractiveEncoder(30, 1e-3)(inputs)
outputs = layers.Dense(64, activation="linear")(code)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(0.005), loss="mse")
model.fit(x_train, x_train, epochs=60, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = model.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
