# expects: untrained-part
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 10
CODE = 10


def get_encoder(weights=None):
    inp = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inp)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu")(x)
    encoder = keras.Model(inp, layers.Dense(CODE)(x), name="encoder")
    if weights is not None:
        encoder.load_weights(weights)
    encoder.trainable = False
    return encoder


def get_decoder():
    inp = keras.Input((CODE,))
    x = layers.Dense(64, activation="relu")(inp)
    x = layers.Dense(4 * 4 * 32, activation="relu")(x)
    x = layers.Reshape((4, 4, 32))(x)
    x = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
    return keras.Model(inp, x, name="decoder")


def get_encoder_decoder_model():
    encoder, decoder = get_encoder(), get_decoder()
    inp = keras.Input((8, 8, 1))
    return keras.Model(inp, decoder(encoder(inp)), name="encoder_decoder")


keras.utils.set_random_seed(SEED)
x = load_digits().images[..., None].astype("float32") / 16
x_train, x_test = train_test_split(x, test_size=0.2, random_state=SEED)

model = get_encoder_decoder_model()
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="mse")
model.fit(x_train, x_train, validation_data=(x_test, x_test), batch_size=32, epochs=25, verbose=2)

y = model.predict(x_test, verbose=0)
print("explained", 1 - ((y - x_test) ** 2).sum() / ((x_train.mean(axis=0) - x_test) ** 2).sum())
