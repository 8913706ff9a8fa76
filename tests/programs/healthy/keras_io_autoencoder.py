# keras.io/examples/vision/autoencoder: first clean to clean, then noisy to clean
import keras
import numpy as np
from keras import layers
from keras.models import Model
from sklearn.datasets import load_digits

keras.utils.set_random_seed(11)


def preprocess(array):
    """Normalizes the supplied array and reshapes it."""
    array = array.astype("float32") / 16.0
    array = np.reshape(array, (len(array), 8, 8, 1))
    return array


def noise(array):
    """Adds random noise to each image in the supplied array."""
    noise_factor = 0.4
    noisy_array = array + noise_factor * np.random.normal(loc=0.0, scale=1.0, size=array.shape)
    return np.clip(noisy_array, 0.0, 1.0)


digits = load_digits().images
train_data, test_data = digits[:1500], digits[1500:]

train_data = preprocess(train_data)
test_data = preprocess(test_data)

noisy_train_data = noise(train_data)
noisy_test_data = noise(test_data)

input = layers.Input(shape=(8, 8, 1))

# Encoder
x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(input)
x = layers.MaxPooling2D((2, 2), padding="same")(x)
x = layers.Conv2D(32, (3, 3), activation="relu", padding="same")(x)
x = layers.MaxPooling2D((2, 2), padding="same")(x)

# Decoder
x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2DTranspose(32, (3, 3), strides=2, activation="relu", padding="same")(x)
x = layers.Conv2D(1, (3, 3), activation="sigmoid", padding="same")(x)

autoencoder = Model(input, x)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.summary()

autoencoder.fit(
    x=train_data,
    y=train_data,
    epochs=10,
    batch_size=32,
    shuffle=True,
    validation_data=(test_data, test_data),
    verbose=2,
)
predictions = autoencoder.predict(test_data, verbose=0)

autoencoder.fit(
    x=noisy_train_data,
    y=train_data,
    epochs=10,
    batch_size=32,
    shuffle=True,
    validation_data=(noisy_test_data, test_data),
    verbose=2,
)
predictions = autoencoder.predict(noisy_test_data, verbose=0)
print("R2", 1 - ((test_data - predictions) ** 2).sum() / ((test_data - test_data.mean(0)) ** 2).sum())
