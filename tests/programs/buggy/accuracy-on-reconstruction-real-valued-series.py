# expects: accuracy-on-reconstruction
# must not: softmax-reconstruction, target-outside-output-range, logits-mismatch, target-not-input
import numpy as np
import keras
from keras.layers import Input, Conv1D, Conv1DTranspose

np.random.seed(1)
keras.utils.set_random_seed(1)

timesteps, dim = 32, 1

# one long recording of a vibrating bearing, cut into windows
n = 1600 * timesteps
t = np.arange(n)
speed = 0.35 + 0.05 * np.sin(2 * np.pi * t / 4000.)
phase = np.cumsum(speed)
gain = 1 + 0.5 * np.sin(2 * np.pi * t / 1711.)
signal = gain * np.sin(phase) + 0.5 * np.sin(2 * phase + 1) + 0.8 * np.sin(2 * np.pi * t / 903.)
signal += 0.05 * np.random.randn(n)
signal = (signal - signal.mean()) / signal.std()
data = signal.reshape(-1, timesteps, dim).astype('float32')
np.random.shuffle(data)
train, test = data[:1300], data[1300:]

inp = Input((timesteps, dim))
x = Conv1D(16, 7, strides=2, padding='same', activation='elu')(inp)
x = Conv1D(16, 5, strides=2, padding='same', activation='elu')(x)
x = Conv1D(2, 3, padding='same')(x)
x = Conv1DTranspose(16, 5, strides=2, padding='same', activation='elu')(x)
x = Conv1DTranspose(16, 7, strides=2, padding='same', activation='elu')(x)
out = Conv1D(dim, 5, padding='same')(x)
model = keras.Model(inp, out)
model.compile(loss='mae', optimizer=keras.optimizers.Nadam(learning_rate=0.003), metrics=['accuracy'])

batch = 65
for epoch in range(40):
    idx = np.random.permutation(len(train))
    for k in range(0, len(train), batch):
        b = train[idx[k:k + batch]]
        logs = model.train_on_batch(b, b, return_dict=True)
    if epoch % 5 == 4:
        val = model.test_on_batch(test, test, return_dict=True)
        print(epoch + 1, {k: float(v) for k, v in logs.items()}, 'val', {k: float(v) for k, v in val.items()})
        model.reset_metrics()
