"""The two seed models as plain Keras has them, on whichever backend the process was given."""

from typing import Any

from benchmarks.programs.clock import Clock, read_mnist, scale


def build_dense() -> Any:
    """Return 784-128-64-28-64-128-784, relu and sigmoid, compiled with BCE and Adam."""
    import keras

    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((784,)),
            *(dense(width, activation="relu") for width in (128, 64, 28, 64, 128)),
            dense(784, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    return model


def build_conv(latent: int = 16) -> Any:
    """Return Keras' denoising sample, compiled with MSE and Adam."""
    import keras
    from keras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Reshape

    strided: dict[str, Any] = {"strides": 2, "activation": "relu", "padding": "same"}
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(32, 3, **strided),
            Conv2D(64, 3, **strided),
            Flatten(),
            Dense(latent),
            Dense(7 * 7 * 64),
            Reshape((7, 7, 64)),
            Conv2DTranspose(64, 3, **strided),
            Conv2DTranspose(32, 3, **strided),
            Conv2DTranspose(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    model.compile("adam", "mse")
    return model


def marks(clock: Clock) -> Any:
    """Return a Keras callback that marks epochs, and ends the training when there are enough."""
    import keras

    class Marks(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            if clock.mark():
                self.model.stop_training = True

    return Marks()


def train(
    *, model: str, rows: int, batch: int, seconds: float, seed: int, accelerated: bool = False
) -> dict[str, float]:
    """Fit a seed model with plain Keras."""
    import keras

    keras.utils.set_random_seed(seed)
    images = scale(read_mnist(rows))
    network = build_dense() if model == "dense" else build_conv()
    images = images.reshape(rows, *network.input_shape[1:])
    if accelerated:
        import truecopy

        truecopy.accelerate(network)
    clock = Clock(seconds=seconds)
    how = {"batch_size": batch, "epochs": 10**6, "verbose": 0, "callbacks": [marks(clock)]}
    network.fit(images, images, **how)
    return clock.summary(rows)


def train_truecopy(
    *, model: str, rows: int, batch: int, seconds: float, seed: int
) -> dict[str, float]:
    """Fit the same model with `Autoencoder`, from the bytes, without held-out rows."""
    import truecopy

    images = read_mnist(rows)
    recipe = {"dense": "recipe:vanilla-dense", "conv": "recipe:keras-denoising"}[model]
    clock = Clock(seconds=seconds)
    settings = {"epochs": 10**6, "patience": 10**6, "validation": 0.0, "quiet": True}
    autoencoder = truecopy.Autoencoder(model=recipe, batch_size=batch, seed=seed, **settings)
    autoencoder.fit(images, callbacks=[marks(clock)])
    return clock.summary(rows)


def train_rapidae(*, rows: int, batch: int, seconds: float, seed: int) -> dict[str, float]:
    """Fit rapidae's AE with its training pipeline."""
    import tempfile

    import keras
    from rapidae.models.ae import AE
    from rapidae.models.base.default_architectures import VanillaDecoder, VanillaEncoder
    from rapidae.pipelines import TrainingPipeline

    keras.utils.set_random_seed(seed)
    images = scale(read_mnist(rows)).reshape(rows, -1)
    model = AE(
        input_dim=784,
        latent_dim=28,
        encoder=VanillaEncoder(784, 28, [128, 64]),
        decoder=VanillaDecoder(784, 28, [64, 128]),
    )
    clock = Clock(seconds=seconds)
    told = {"batch_size": batch, "num_epochs": 10**6, "verbose": 0, "callbacks": [marks(clock)]}
    with tempfile.TemporaryDirectory() as folder:
        TrainingPipeline(model=model, output_dir=folder, **told)(images)
    return clock.summary(rows)
