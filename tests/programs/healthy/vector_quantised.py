# after keras.io/examples/generative/vq_vae, on small digits
# may: worse-than-pca
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

keras.utils.set_random_seed(34)

x = load_digits().data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]


class VectorQuantizer(layers.Layer):
    def __init__(self, num_embeddings, embedding_dim, beta=0.25, **kwargs):
        super().__init__(**kwargs)
        self.embedding_dim = embedding_dim
        self.num_embeddings = num_embeddings
        self.beta = beta
        self.embeddings = self.add_weight(
            shape=(embedding_dim, num_embeddings), initializer=keras.initializers.RandomNormal(stddev=0.5),
            name="embeddings_vqvae")

    def call(self, x):
        flattened = ops.reshape(x, [-1, self.embedding_dim])
        similarity = ops.matmul(flattened, self.embeddings)
        distances = (ops.sum(flattened**2, axis=1, keepdims=True)
                     + ops.sum(self.embeddings**2, axis=0) - 2 * similarity)
        encodings = ops.one_hot(ops.argmin(distances, axis=1), self.num_embeddings)
        quantized = ops.reshape(ops.matmul(encodings, ops.transpose(self.embeddings)), ops.shape(x))
        commitment_loss = ops.mean((ops.stop_gradient(quantized) - x) ** 2)
        codebook_loss = ops.mean((quantized - ops.stop_gradient(x)) ** 2)
        self.add_loss(self.beta * commitment_loss + codebook_loss)
        return x + ops.stop_gradient(quantized - x)


inputs = keras.Input((64,))
h = layers.Dense(128, activation="relu")(inputs)
h = layers.Dense(8 * 4)(h)
h = layers.Reshape((8, 4))(h)
h = VectorQuantizer(32, 4)(h)
h = layers.Flatten()(h)
h = layers.Dense(128, activation="relu")(h)
outputs = layers.Dense(64)(h)
vqvae = keras.Model(inputs, outputs)
vqvae.compile(optimizer=keras.optimizers.Adam(0.002), loss="mse")
vqvae.fit(x_train, x_train, epochs=60, batch_size=32, validation_data=(x_test, x_test), verbose=2)

rec = vqvae.predict(x_test, verbose=0)
print("R2", 1 - ((x_test - rec) ** 2).sum() / ((x_test - x_test.mean(0)) ** 2).sum())
