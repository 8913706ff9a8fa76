"""Convolutions of a traced JAX program replaced by faster equal ones, however deep they sit."""

from __future__ import annotations

from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jax.extend.core.primitives import conv_general_dilated_p

from truecopy.training.convolution import Convolution
from truecopy.training.convolution_forms import choose_form


def replace_convolutions(program: ClosedJaxpr) -> ClosedJaxpr:
    """The same program with its slow convolutions replaced.

    Args:
        program: What `jax.make_jaxpr` gives.

    Returns:
        A program with equal inputs and outputs; `program` itself where nothing was slow.
    """
    jaxpr = _replace_in(program.jaxpr)
    return program if jaxpr is program.jaxpr else ClosedJaxpr(jaxpr, program.consts)


def _replace_in(jaxpr: Jaxpr) -> Jaxpr:
    equations = [_replace_equation(equation) for equation in jaxpr.eqns]
    same = all(new is old for new, old in zip(equations, jaxpr.eqns, strict=True))
    changed: Jaxpr = jaxpr if same else _changed(jaxpr, eqns=equations)
    return changed


def _replace_equation(equation: JaxprEqn) -> JaxprEqn:
    if equation.primitive is conv_general_dilated_p:
        return _replace_convolution(equation)
    # Programs inside programs (jit, scan, while, cond, remat, custom derivatives) are always
    # parameters, alone or in a tuple (JAX's own `jaxprs_in_params` relies on it too); their
    # inputs and outputs stay, so nothing around them has to change.
    params = {name: _replace_parameter(value) for name, value in equation.params.items()}
    same = all(params[name] is value for name, value in equation.params.items())
    changed: JaxprEqn = equation if same else _changed(equation, params=params)
    return changed


def _replace_parameter(value: Any) -> Any:
    match value:
        case ClosedJaxpr():
            return replace_convolutions(value)
        case Jaxpr():
            return _replace_in(value)
        case tuple() if any(isinstance(item, ClosedJaxpr | Jaxpr) for item in value):
            items = tuple(_replace_parameter(item) for item in value)
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
    return value


def _replace_convolution(equation: JaxprEqn) -> JaxprEqn:
    lhs, rhs = map(_shape_of, equation.invars)
    form = choose_form(lhs, rhs, Convolution(**equation.params))
    if form is None:
        return equation
    # Tracing a jitted call gives one equation with exactly the parameters that this version of
    # JAX wants for it.
    call = jax.make_jaxpr(jax.jit(form))(lhs, rhs).eqns[0]
    changed: JaxprEqn = _changed(equation, primitive=call.primitive, params=call.params)
    return changed


def _shape_of(atom: Any) -> Any:
    struct: Any = jax.ShapeDtypeStruct  # JAX leaves it untyped, as `replace` below
    return struct(atom.aval.shape, atom.aval.dtype)


def _changed(part: Any, **changes: Any) -> Any:
    return part.replace(**changes)
