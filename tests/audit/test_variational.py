"""Sampling heads are found and their KL term is measured however a model is written."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops

from truecopy.audit.contract import measure_contract
from truecopy.audit.losses import NoLoss, describe_compile, find_loss
from truecopy.audit.subject import Subject
from truecopy.audit.trace import record
from truecopy.audit.variational import measure_variational

WIDE, LATENT = 12, 3
X = np.random.default_rng(0).random((40, WIDE)).astype("float32")


def divergence(mean, log_var):
    return -0.5 * ops.sum(1 + log_var - ops.square(mean) - ops.exp(log_var), axis=-1)


def summed(y, p):
    return ops.sum(ops.square(y - p), axis=-1)


class Sampling(layers.Layer):
    def __init__(self, add=None, *, share=0.5, only_training=False):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(1)
        self.add, self.share, self.only_training = add, share, only_training

    def call(self, heads, training=None):
        mean, spread = heads
        if self.add is not None:
            self.add_loss(self.add(mean, spread))
        if self.only_training and not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(self.share * spread) * noise


def functional(sampling, loss=summed, *, dropout=0.0, split=False, activation=None):
    inputs = keras.Input((WIDE,))
    hidden = layers.Dropout(dropout)(layers.Dense(8, activation="relu")(inputs))
    if split:
        heads = ops.split(layers.Dense(2 * LATENT, name="both")(hidden), 2, axis=-1)
    else:
        heads = [
            layers.Dense(LATENT, name="first")(hidden),
            layers.Dense(LATENT, name="second", activation=activation)(hidden),
        ]
    outputs = layers.Dense(WIDE, activation="sigmoid")(sampling(heads))
    model = keras.Model(inputs, outputs)
    model.compile("adam", loss)
    return model


def facts_of(model):
    subject = Subject(model=model, target="m", inputs=X, targets=X)
    return measure_variational(subject, None)


def mean_of(form):
    return lambda mean, spread: ops.mean(form(mean, spread))


@pytest.mark.parametrize(
    ("loss", "weight", "beta"),
    [("mse", 1, WIDE), (summed, 4, 4), ("binary_crossentropy", 0.5, WIDE / 2)],
)
def test_the_weight_of_the_kl_is_that_against_a_summed_reconstruction(loss, weight, beta):
    def term(mean, log_var):
        return weight * ops.mean(divergence(mean, log_var))

    facts = facts_of(functional(Sampling(term), loss))

    assert (facts.mean_layer, facts.spread_layer, facts.latent) == ("first", "second", LATENT)
    assert (facts.kl_matches, facts.kl_reading) == (True, "log-variance")
    assert facts.kl_scale == pytest.approx(weight, rel=1e-3)
    assert facts.effective_beta == pytest.approx(beta, rel=1e-3)
    assert facts.sampling == pytest.approx(1, abs=0.15)
    np.testing.assert_allclose(np.array(facts.kl), weight * np.array(facts.kl_closed), rtol=1e-3)


def test_a_wrong_formula_is_told():
    facts = facts_of(functional(Sampling(lambda m, s: -ops.mean(divergence(m, s)))))

    assert (facts.kl_matches, facts.kl_hint) == (False, "its sign is turned")


def test_a_draw_wider_than_the_kl_assumes_is_told():
    facts = facts_of(functional(Sampling(mean_of(divergence), share=1.0)))

    assert facts.kl_matches
    assert facts.sampling == pytest.approx(np.exp(0.5 * 1.5), rel=0.15)  # at a head of 1.5


def test_draws_in_training_alone_behind_dropout_are_found():
    sampling = Sampling(mean_of(divergence), only_training=True)

    facts = facts_of(functional(sampling, dropout=0.3))

    assert facts.mean_layer == "first"
    assert facts.sampling == pytest.approx(1, abs=0.15)


def test_heads_that_are_halves_of_one_layer_are_found():
    facts = facts_of(functional(Sampling(mean_of(divergence)), split=True))

    assert (facts.mean_layer, facts.spread_layer) == ("both", "both")
    assert facts.kl_scale == pytest.approx(1, rel=1e-3)


def test_figures_per_latent_are_the_closed_form_on_the_rows():
    model = functional(Sampling(mean_of(divergence)), activation="relu")
    heads = keras.Model(model.inputs, [model.get_layer(n).output for n in ("first", "second")])
    mean, log_var = (np.asarray(h, float) for h in heads.predict(X, verbose=0))

    subject = Subject(model=model, target="m", inputs=X, targets=X)
    facts = measure_variational(subject, record(model, X))

    exact = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).mean(axis=0)
    np.testing.assert_allclose(facts.per_latent, exact, rtol=1e-3, atol=1e-6)
    assert facts.active == (exact > 0.01).sum()
    assert facts.log_variance == pytest.approx((log_var.min(), log_var.max()), abs=1e-5)
    assert (facts.mean_activation, facts.spread_activation) == (None, "relu")


class Written(keras.Model):
    """Sampling in a line of `call`, the KL term in `add_loss`."""

    def __init__(self, *, draws=True):
        super().__init__()
        self.hidden = layers.Dense(8)
        self.mu, self.log_var = (layers.Dense(LATENT, name=n) for n in ("mu", "log_var"))
        self.out = layers.Dense(WIDE, activation="sigmoid")
        self.seeds = keras.random.SeedGenerator(2) if draws else None

    def encode(self, x):
        hidden = self.hidden(x)
        mean, log_var = self.mu(hidden), self.log_var(hidden)
        if self.seeds is None:
            return mean, mean, log_var
        noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_var) * noise, mean, log_var

    def call(self, x):
        latent, mean, log_var = self.encode(x)
        self.add_loss(ops.mean(divergence(mean, log_var)))
        return self.out(latent)


class Tupled(Written):
    """`call` gives the heads along with the copy, and `compute_loss` takes them from there."""

    def call(self, x):
        latent, mean, log_var = self.encode(x)
        return self.out(latent), mean, log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        del x, sample_weight
        copy, mean, log_var = y_pred
        return ops.mean(summed(y, copy)) + ops.mean(divergence(mean, log_var))


class Again(Tupled):
    """`compute_loss` runs the layers again."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        del y, y_pred, sample_weight
        copy, mean, log_var = self.call(x)
        return ops.mean(summed(x, copy)) + ops.mean(divergence(mean, log_var))


class Added(Written):
    """The whole loss is in `add_loss`, and nothing is compiled."""

    def __init__(self, *, squashed=False):
        super().__init__()
        self.squashed = squashed

    def call(self, x):
        latent, mean, log_var = self.encode(x)
        copy = self.out(latent)
        error = summed(x, copy)
        if self.squashed:  # of what is a probability already
            error = keras.losses.binary_crossentropy(x, copy, from_logits=True)
        self.add_loss(ops.mean(error + divergence(mean, log_var)))
        return copy


class Unnamed(Written):
    """Nothing is drawn, and no layer has a name that says what it is."""

    def __init__(self):
        super().__init__(draws=False)
        self.mu, self.log_var = layers.Dense(LATENT), layers.Dense(LATENT)


def build(model):
    model.compile("adam", None if isinstance(model, Tupled | Added) else summed)
    model(X[:2])
    return model


@pytest.mark.parametrize(
    "kind", [Written, Tupled, Again, pytest.param(Added, marks=pytest.mark.slow)]
)
def test_subclassed_models_are_measured_wherever_the_term_is_written(kind):
    facts = facts_of(build(kind()))

    assert (facts.mean_layer, facts.spread_layer) == ("mu", "log_var")
    assert facts.kl_matches
    assert facts.effective_beta == pytest.approx(1, rel=1e-3)
    assert facts.sampling == pytest.approx(1, abs=0.15)


def test_a_latent_that_is_never_drawn_is_told_by_its_layers_names():
    facts = facts_of(build(Written(draws=False)))

    assert facts.sampling == 0
    assert facts.kl_matches


def test_a_latent_that_is_never_drawn_is_told_by_the_loss_where_no_layer_is_named():
    model = build(Unnamed())

    facts = facts_of(model)

    assert facts.sampling == 0
    assert facts.kl_matches
    assert (facts.mean_layer, facts.spread_layer) == (model.mu.name, model.log_var.name)


def test_a_model_whose_weights_are_no_numbers_is_measured_with_those_it_began_with():
    model = functional(Sampling(mean_of(divergence)))
    began = model.get_weights()
    model.set_weights([np.full_like(weight, np.nan) for weight in began])
    subject = Subject(model=model, target="m", inputs=X, targets=X)

    known = measure_variational(replace(subject, initial_weights=began), None)

    assert known.kl_matches
    assert known.sampling == pytest.approx(1, abs=0.15)
    assert known.active is None
    assert np.isnan(model.get_weights()[0]).all()
    assert measure_variational(subject, None) is None


@pytest.mark.slow
def test_a_loss_that_is_added_alone_is_that_of_the_copy_and_a_constant():
    subject = Subject(model=build(Added()), target="m", inputs=X, targets=X)

    loss, compiled = find_loss(subject), describe_compile(subject)

    charged = [loss(X, p, X) for p in (X, X + 0.5, np.zeros_like(X))]
    assert charged[1] - charged[0] == pytest.approx(WIDE * 0.25, rel=1e-4)
    assert charged[2] - charged[0] == pytest.approx(np.square(X).sum(axis=1).mean(), rel=1e-4)
    assert (compiled.loss, compiled.own, compiled.like) == ("add_loss", True, "mean_squared_error")
    assert not compiled.from_logits


@pytest.mark.slow
def test_an_added_loss_that_takes_probabilities_for_logits_is_told():
    subject = Subject(model=build(Added(squashed=True)), target="m", inputs=X, targets=X)

    compiled = describe_compile(subject)

    assert (compiled.like, compiled.from_logits) == ("binary_crossentropy", True)


def test_a_penalty_alone_is_no_loss_of_the_copy():
    model = Written()
    model.compile("adam")
    model(X[:2])

    found = find_loss(Subject(model=model, target="m", inputs=X, targets=X))

    assert found == NoLoss(reason="The model was compiled without a loss or not at all.")


class Stepped(Tupled):
    """Only `train_step` knows the loss, as in keras.io's example."""

    def __init__(self):
        super().__init__()
        self.total = keras.metrics.Mean(name="total_loss")

    @property
    def metrics(self):
        return [self.total]

    def whole(self, x):
        copy, mean, log_var = self(x)
        return ops.mean(summed(x, copy)) + ops.mean(divergence(mean, log_var))

    def train_step(self, *args):
        return STEPS[keras.backend.backend()](self, *args)


def step_of_jax(self, state, data):
    import jax

    trainable, fixed, optimizer, metrics = state
    x = data[0] if isinstance(data, tuple) else data

    def whole(trainable, fixed):
        (copy, mean, log_var), fixed = self.stateless_call(trainable, fixed, x)
        return ops.mean(summed(x, copy)) + ops.mean(divergence(mean, log_var)), fixed

    (loss, fixed), gradients = jax.value_and_grad(whole, has_aux=True)(trainable, fixed)
    trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
    metrics = self.total.stateless_update_state(metrics, loss)
    return {"total_loss": self.total.stateless_result(metrics)}, (
        trainable,
        fixed,
        optimizer,
        metrics,
    )


def step_of_torch(self, data):
    import torch

    self.zero_grad()
    loss = self.whole(data)
    loss.backward()
    with torch.no_grad():
        gradients = [weight.value.grad for weight in self.trainable_weights]
        self.optimizer.apply(gradients, self.trainable_weights)
    self.total.update_state(loss)
    return {"total_loss": self.total.result()}


def step_of_tensorflow(self, data):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = self.whole(data)
    gradients = tape.gradient(loss, self.trainable_weights)
    self.optimizer.apply(gradients, self.trainable_weights)
    self.total.update_state(loss)
    return {"total_loss": self.total.result()}


STEPS = {"jax": step_of_jax, "torch": step_of_torch, "tensorflow": step_of_tensorflow}


def test_a_loss_that_only_a_train_step_knows_is_measured_and_nothing_is_trained():
    model = build(Stepped())
    before = model.get_weights()
    subject = Subject(model=model, target="m", inputs=X, targets=X)

    facts = measure_variational(subject, None)
    contract = measure_contract(subject)

    # JAX doesn't trace a step again that it knows, and each look has to see its calls.
    assert measure_contract(subject) == contract
    assert facts.kl_matches
    assert facts.effective_beta == pytest.approx(1, rel=1e-3)
    assert contract.better is None
    assert contract.mean - contract.perfect == pytest.approx(WIDE * X.var(axis=0).mean(), rel=0.05)
    assert contract.batch_scaling == pytest.approx(1, rel=1e-3)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


class SteppedWithoutDraws(Stepped):
    """The mean is decoded without noise, and no layer's name says what it is."""

    def __init__(self):
        super().__init__()
        self.mu, self.log_var = layers.Dense(LATENT), layers.Dense(LATENT)
        self.seeds = None


def test_a_latent_that_is_never_drawn_is_told_by_the_loss_of_a_train_step():
    model = build(SteppedWithoutDraws())

    facts = measure_variational(Subject(model=model, target="m", inputs=X, targets=X), None)

    assert facts.kl_matches
    assert facts.sampling == 0
    assert facts.spread_layer == model.log_var.name


def branches(join):
    inputs = keras.Input((WIDE,))
    parts = [layers.Dense(LATENT)(inputs) for _ in range(2)]
    model = keras.Model(inputs, layers.Dense(WIDE)(join(parts)))
    model.compile("adam", "mse")
    return model


def chain(*middle):
    model = keras.Sequential([keras.Input((WIDE,)), *middle, layers.Dense(WIDE)])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize(
    "model",
    [
        chain(layers.Dense(LATENT), layers.Dense(LATENT)),
        chain(layers.Dense(LATENT), layers.GaussianNoise(0.2)),
        chain(layers.Dropout(0.2), layers.Dense(LATENT), layers.Dropout(0.2)),
        branches(layers.Add()),
        branches(lambda parts: layers.Dropout(0.5)(layers.Add()(parts))),
    ],
)
def test_other_autoencoders_have_no_sampling_heads(model):
    assert facts_of(model) is None


def test_a_term_whose_weight_is_still_0_says_nothing():
    facts = facts_of(functional(Sampling(lambda m, s: 0.0 * ops.mean(divergence(m, s)))))

    assert (facts.kl_scale, facts.kl_matches, facts.effective_beta) == (0, None, None)
