# may: worse-than-pca
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(16)


class DenseTranspose(layers.Layer):
    """Uses the kernel of another Dense layer, transposed."""

    def __init__(self, dense, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.dense = dense
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.biases = self.add_weight(shape=(self.dense.kernel.shape[0],), initializer="zeros", name="bias")

    def call(self, x):
        return self.activation(ops.matmul(x, ops.transpose(self.dense.kernel)) + self.biases)


x = (load_digits().data / 16.0).astype("float32")
x_train, x_test = x[:1500], x[1500:]

dense_1 = layers.Dense(40, activation="selu")
dense_2 = layers.Dense(16, activation="selu")

inputs = keras.Input(shape=(64,))
code = dense_2(dense_1(inputs))
h = DenseTranspose(dense_2, activation="selu")(code)
outputs = DenseTranspose(dense_1, activation="sigmoid")(h)

tied_ae = keras.Model(inputs, outputs)
tied_ae.compile(loss="binary_crossentropy", optimizer="adam")
tied_ae.fit(x_train, x_train, epochs=60, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = tied_ae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
