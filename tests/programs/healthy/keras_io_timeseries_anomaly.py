# keras.io/examples/timeseries/timeseries_anomaly_detection, on a made-up daily signal
# may: worse-than-pca
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(12)
rng = np.random.default_rng(12)

n = 3000
time = np.arange(n)
value = 20 + 6 * np.sin(2 * np.pi * time / 48) + 2 * np.sin(2 * np.pi * time / 16 + 1)
value = value + rng.normal(0, 0.6, n)
values = value[:, None]

training_mean = values.mean(axis=0)
training_std = values.std(axis=0)
df_training_value = (values - training_mean) / training_std

TIME_STEPS = 48


def create_sequences(values, time_steps=TIME_STEPS):
    output = []
    for i in range(len(values) - time_steps + 1):
        output.append(values[i : (i + time_steps)])
    return np.stack(output)


x_train = create_sequences(df_training_value)
print("Training input shape: ", x_train.shape)

model = keras.Sequential(
    [
        layers.Input(shape=(x_train.shape[1], x_train.shape[2])),
        layers.Conv1D(filters=32, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Dropout(rate=0.2),
        layers.Conv1D(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Dropout(rate=0.2),
        layers.Conv1DTranspose(filters=32, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=1, kernel_size=7, padding="same"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="mse")

history = model.fit(
    x_train,
    x_train,
    epochs=12,
    batch_size=64,
    validation_split=0.1,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, mode="min")],
    verbose=2,
)
x_train_pred = model.predict(x_train, verbose=0)
train_mae_loss = np.mean(np.abs(x_train_pred - x_train), axis=1)
threshold = np.max(train_mae_loss)
print("Reconstruction error threshold: ", threshold)
print("R2", 1 - ((x_train - x_train_pred) ** 2).sum() / ((x_train - x_train.mean(0)) ** 2).sum())
