import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truecopy
from truecopy.data.profile import profile
from truecopy.errors import InvalidArgument, UnknownName
from truecopy.models.build import build_networks, choose_latent, recipe_of
from truecopy.models.conv import build_conv
from truecopy.models.dense import build_dense, default_widths
from truecopy.models.networks import normalises, predict
from truecopy.models.recipes import RECIPES

BYTES = truecopy.plan(profile(np.arange(256, dtype=np.uint8).reshape(2, 128))).facts
GROUPS = truecopy.plan(profile(np.eye(7)[[0, 1, 2, 3, 4, 5, 6]][:, :7])).facts


def assert_copies_shape(networks, shape):
    rows = np.random.default_rng(0).uniform(size=(2, *shape)).astype(np.float32)
    latents = keras.ops.convert_to_numpy(networks.encoder(rows))

    assert networks.model.output_shape == (None, *shape)
    assert latents.shape == (2, networks.latent)
    # The parts share the whole's weights: one after the other they are the whole.
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(networks.decoder(latents)),
        keras.ops.convert_to_numpy(networks.model(rows)),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    "shape",
    [
        (8, 8, 1),
        (27, 31, 1),
        (9, 12),
        *(
            pytest.param(shape, marks=pytest.mark.slow)
            for shape in [(28, 28, 1), (32, 32, 3), (65, 64, 3), (8, 200, 2)]
        ),
    ],
)
def test_conv_gives_back_exactly_the_inputs_shape(shape):
    assert_copies_shape(build_conv(shape, latent=4, plan=BYTES), shape)


@pytest.mark.slow
@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 4))
@settings(deadline=None, max_examples=6)
def test_conv_gives_back_any_height_width_and_channels(height, width, channels):
    networks = build_conv((height, width, channels), latent=3, plan=BYTES, filters=(2, 3))

    assert networks.model.output_shape == (None, height, width, channels)


@pytest.mark.parametrize("shape", [(1,), (5,), (784,), (28, 28), (4, 5, 3), (2, 2, 2, 2)])
def test_dense_gives_back_any_shape(shape):
    assert_copies_shape(build_dense(shape, latent=2, plan=BYTES), shape)


@pytest.mark.parametrize("shape", [(7, 28, 1), (28,), (5, 5, 5, 5)])
def test_conv_refuses_what_is_no_image(shape):
    with pytest.raises(InvalidArgument, match="must be 'dense' for rows that are not images"):
        build_conv(shape, latent=2, plan=BYTES)


def test_hidden_widths_follow_the_number_of_features():
    assert [default_widths(n) for n in (1, 30, 64, 784, 100_000)] == [
        (32, 16),
        (32, 16),
        (64, 16),
        (512, 128),
        (512, 128),
    ]


def test_each_one_hot_group_has_a_softmax_of_its_own():
    generator = np.random.default_rng(0)
    rows = np.concatenate(
        [np.eye(3)[generator.integers(0, 3, 50)], np.eye(4)[generator.integers(0, 4, 50)]], axis=1
    )
    plan = truecopy.plan(profile(rows)).facts
    networks = build_dense((7,), latent=2, plan=plan)

    output = keras.ops.convert_to_numpy(networks.model(rows.astype(np.float32)))

    assert plan.groups == (3, 4)
    np.testing.assert_allclose(output[:, :3].sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(output[:, 3:].sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("vanilla-dense", [128, 64, 28, 64, 128, 784]),
        ("vanilla-dense-as-posted", [128, 64, 28, 64, 128, 784]),
        ("hinton-2006", [1000, 500, 250, 30, 250, 500, 1000, 784]),
    ],
)
def test_dense_recipes_have_the_published_widths(name, widths):
    recipe = RECIPES[name]
    networks = recipe.build((784,), latent=recipe.latent, plan=BYTES, seed=0, name=name)

    layers = [*networks.encoder.layers, *networks.decoder.layers]

    assert [layer.units for layer in layers if hasattr(layer, "units")] == widths


def test_the_denoising_recipe_is_the_keras_sample():
    recipe = RECIPES["keras-denoising"]
    networks = recipe.build((28, 28, 1), latent=recipe.latent, plan=BYTES, seed=0, name="x")

    layers = [*networks.encoder.layers, *networks.decoder.layers]
    convolutions = [
        (type(layer).__name__, layer.filters, layer.kernel_size, layer.strides)
        for layer in layers
        if hasattr(layer, "filters")
    ]

    assert convolutions == [
        ("Conv2D", 32, (3, 3), (2, 2)),
        ("Conv2D", 64, (3, 3), (2, 2)),
        ("Conv2DTranspose", 64, (3, 3), (2, 2)),
        ("Conv2DTranspose", 32, (3, 3), (2, 2)),
        ("Conv2DTranspose", 1, (3, 3), (1, 1)),
    ]
    assert networks.latent == 16
    # Counted by hand: 320 + 18,496 + 50,192 + 53,312 + 36,928 + 18,464 + 289.
    assert networks.model.count_params() == 178_001


def test_as_posted_is_the_second_question():
    plan = RECIPES["vanilla-dense-as-posted"].adapt(truecopy.plan(profile("mnist:test")))

    assert plan.facts.output.value == "softmax"
    assert plan.facts.loss.value == "binary_crossentropy"
    assert plan.scaling.apply(np.array([[255.0]]))[0, 0] == 255


@pytest.mark.parametrize(
    ("model", "shape", "wanted"),
    [
        ("dense", (28, 28, 1), True),
        ("conv", (28, 28, 1), True),
        ("dense", (784,), False),  # a table starts as PCA instead
        ("recipe:keras-denoising", (28, 28, 1), False),
        ("recipe:vanilla-dense", (28, 28, 1), False),
    ],
)
def test_pictures_are_normalised_over_the_batch_but_tables_and_recipes_are_not(
    model, shape, wanted
):
    assert normalises(build_networks(model, shape, latent=4, plan=BYTES, seed=0)) is wanted


def test_the_convolutional_decoder_mirrors_the_encoder():
    networks = build_conv((28, 28, 1), latent=16, plan=BYTES)

    filters = [
        (type(layer).__name__, layer.filters, layer.strides)
        for part in (networks.encoder, networks.decoder)
        for layer in part.layers
        if hasattr(layer, "filters")
    ]
    assert filters == [
        ("Conv2D", 32, (2, 2)),
        ("Conv2D", 64, (2, 2)),
        ("Conv2DTranspose", 32, (2, 2)),
        ("Conv2DTranspose", 1, (2, 2)),
    ]


@pytest.mark.parametrize("build", [build_dense, build_conv])
def test_the_seed_draws_the_weights_and_nothing_global_does(build):
    keras.utils.set_random_seed(1)
    a = build((8, 8, 1), latent=2, plan=BYTES, seed=5).model.get_weights()
    keras.utils.set_random_seed(2)
    b = build((8, 8, 1), latent=2, plan=BYTES, seed=5).model.get_weights()
    c = build((8, 8, 1), latent=2, plan=BYTES, seed=6).model.get_weights()

    assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert not all(np.array_equal(x, y) for x, y in zip(a, c, strict=True))


def test_two_layers_of_one_shape_start_differently():
    weights = build_dense((8,), latent=8, widths=(8, 8), plan=BYTES).model.get_weights()
    kernels = [w for w in weights if w.shape == (8, 8)]

    assert len({kernel.tobytes() for kernel in kernels}) == len(kernels)


@pytest.mark.parametrize("count", [1, 511, 512, 513, 1100])
def test_a_rows_prediction_does_not_depend_on_the_rows_it_came_with(count):
    model = build_dense((16,), latent=4, plan=BYTES).model
    rows = np.random.default_rng(0).uniform(size=(1100, 16)).astype(np.float32)

    np.testing.assert_array_equal(predict(model, rows[:count]), predict(model, rows)[:count])


def test_the_default_latent_is_narrower_than_the_row():
    assert [choose_latent(None, None, features=n) for n in (1, 2, 5, 784)] == [1, 1, 2, 16]
    assert choose_latent(None, RECIPES["hinton-2006"], features=784) == 30


@pytest.mark.parametrize(("latent", "features"), [(784, 784), (1024, 784), (2, 2)])
def test_a_latent_as_wide_as_the_row_is_refused(latent, features):
    with pytest.raises(InvalidArgument) as error:
        choose_latent(latent, None, features=features)

    assert str(error.value) == (
        f"The 'latent' argument of Autoencoder must be a whole number from 1 to {features - 1}, "
        f"less than the {features} values of a row. Got {latent}."
    )


def test_unknown_models_and_recipes_name_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'vanilla-dense'"):
        recipe_of("recipe:vanila-dense")
    with pytest.raises(UnknownName, match="Did you mean 'dense'"):
        build_networks("dens", (8,), latent=2, plan=BYTES, seed=0)


def test_auto_is_conv_for_images_and_dense_for_the_rest():
    assert build_networks("auto", (8, 8), latent=2, plan=BYTES, seed=0).model.name == "conv"
    assert build_networks("auto", (64,), latent=2, plan=BYTES, seed=0).model.name == "dense"
    assert build_networks("auto", (8, 8), latent=2, plan=GROUPS, seed=0).model.name == "dense"


def test_a_keras_model_is_cloned_not_changed():
    own = build_dense((8,), latent=2, plan=BYTES).model
    networks = build_networks(own, (8,), latent=2, plan=BYTES, seed=0)

    networks.model.set_weights([w + 1 for w in networks.model.get_weights()])

    assert not np.array_equal(own.get_weights()[0], networks.model.get_weights()[0])
    assert networks.latent == 2


def test_a_keras_model_of_another_shape_is_refused():
    own = build_dense((8,), latent=2, plan=BYTES).model

    with pytest.raises(InvalidArgument, match=r"must be a Keras model from and to rows of shape"):
        build_networks(own, (9,), latent=2, plan=BYTES, seed=0)


def test_default_widths_are_powers_of_two():
    assert all(math.log2(default_widths(n)[0]).is_integer() for n in range(1, 2000, 37))
