"""Ops of one element from one or several: mathematics, activations, comparisons."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw

# Domains: how a unary op's input is drawn.
normal = lambda d, s: d.normal(s)  # noqa: E731
wide = lambda d, s: d.normal(s, d.pick(1, 5))  # noqa: E731
kinked = lambda d, s: d.grid(s, -3, -1, -0.5, 0, 0.5, 1, 3) if d.turn(False, True) else d.uniform(s, -2, 2)  # noqa: E731


def within(low, high):
    return lambda d, s: d.uniform(s, low, high)


def away(low, high):
    return lambda d, s: d.signed(s, low, high)


UNARY = {
    "neg": (torch.neg, normal),
    "abs": (torch.abs, kinked),
    "exp": (torch.exp, normal),
    "log": (torch.log, within(0.1, 4)),
    "sqrt": (torch.sqrt, within(0.1, 4)),
    "rsqrt": (torch.rsqrt, within(0.1, 4)),
    "sin": (torch.sin, lambda d, s: d.normal(s, d.turn(1, 30))),
    "cos": (torch.cos, lambda d, s: d.normal(s, d.turn(1, 30))),
    "tanh": (torch.tanh, wide),
    "sigmoid": (torch.sigmoid, wide),
    "relu": (torch.relu, kinked),
    "silu": (F.silu, wide),
    "erf": (torch.erf, wide),
    "square": (torch.square, normal),
    "reciprocal": (torch.reciprocal, away(0.3, 3)),
    "sign": (torch.sign, kinked),
    "floor": (torch.floor, kinked),
    "log1p": (torch.log1p, within(-0.5, 4)),
    "expm1": (torch.expm1, normal),
    # Beyond the first fixtures.
    "tan": (torch.tan, within(-1.3, 1.3)),
    "asin": (torch.asin, within(-0.95, 0.95)),
    "acos": (torch.acos, within(-0.95, 0.95)),
    "atan": (torch.atan, wide),
    "sinh": (torch.sinh, normal),
    "cosh": (torch.cosh, normal),
    "asinh": (torch.asinh, wide),
    "acosh": (torch.acosh, within(1.1, 5)),
    "atanh": (torch.atanh, within(-0.95, 0.95)),
    "exp2": (torch.exp2, normal),
    "log2": (torch.log2, within(0.1, 9)),
    "log10": (torch.log10, within(0.1, 9)),
    "erfc": (torch.erfc, normal),
    "erfinv": (torch.erfinv, within(-0.95, 0.95)),
    "lgamma": (torch.lgamma, within(0.2, 9)),
    "digamma": (torch.digamma, within(0.2, 9)),
    "sinc": (torch.sinc, wide),
    "ceil": (torch.ceil, kinked),
    "trunc": (torch.trunc, kinked),
    "frac": (torch.frac, kinked),
    "selu": (F.selu, kinked),
    "relu6": (F.relu6, lambda d, s: d.uniform(s, -9, 9)),
    "hardsigmoid": (F.hardsigmoid, lambda d, s: d.uniform(s, -5, 5)),
    "hardswish": (F.hardswish, lambda d, s: d.uniform(s, -5, 5)),
    "logSigmoid": (F.logsigmoid, wide),
    "mish": (F.mish, wide),
    "softsign": (F.softsign, wide),
    "tanhshrink": (F.tanhshrink, lambda d, s: d.signed(s, 0.2, 4)),
}


def unary(name, fn, domain):
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        return Case([domain(d, d.shape(0, 6))], {}, fn)


for name, (fn, domain) in UNARY.items():
    unary(name, fn, domain)

# Options of each, drawn by a function, and what takes them.
PARAMETRIC = {
    "softplus": (
        lambda d: d.turn({}, {"beta": d.number(0.3, 3)}, {"threshold": 2.0}, {"beta": 2.5, "threshold": 5.0}),
        lambda x, beta=1, threshold=20: F.softplus(x, beta, threshold), normal, 4),
    "elu": (lambda d: d.turn({}, {"alpha": d.number(0.2, 3)}), lambda x, alpha=1.0: F.elu(x, alpha), kinked, 2),
    "celu": (lambda d: d.turn({}, {"alpha": d.number(0.2, 3)}), lambda x, alpha=1.0: F.celu(x, alpha), kinked, 2),
    "gelu": (lambda d: d.turn({}, {"approximate": "none"}, {"approximate": "tanh"}),
             lambda x, approximate="none": F.gelu(x, approximate=approximate), wide, 3),
    "leakyRelu": (lambda d: d.turn({}, {"negativeSlope": d.number(0, 1)}),
                  lambda x, negativeSlope=0.01: F.leaky_relu(x, negativeSlope), kinked, 2),
    "clamp": (lambda d: d.turn({"min": -0.5, "max": 1.0}, {"min": d.number(-1, 1)}, {"max": d.number(-1, 1)}, {"min": 1.0, "max": -1.0}),
              lambda x, min=None, max=None: torch.clamp(x, min, max), kinked, 4),
    "hardtanh": (lambda d: d.turn({}, {"minVal": -0.5, "maxVal": 1.0}),
                 lambda x, minVal=-1.0, maxVal=1.0: F.hardtanh(x, minVal, maxVal), kinked, 2),
    "softshrink": (lambda d: d.turn({}, {"lambda": 1.0}), lambda x, **o: F.softshrink(x, o.get("lambda", 0.5)), kinked, 2),
    "hardshrink": (lambda d: d.turn({}, {"lambda": 1.0}), lambda x, **o: F.hardshrink(x, o.get("lambda", 0.5)), kinked, 2),
    "threshold": (lambda d: {"threshold": d.pick(0.5, -1.0), "value": d.number(-2, 2)},
                  lambda x, threshold, value: F.threshold(x, threshold, value), kinked, 2),
    "logit": (lambda d: d.turn({}, {"eps": 0.1}), lambda x, eps=None: torch.logit(x, eps), within(0.02, 0.98), 2),
    "round": (lambda d: d.turn({}, {"decimals": 1}, {"decimals": -1}),
              lambda x, decimals=0: torch.round(x, decimals=decimals), lambda d, s: d.uniform(s, -40, 40), 3),
    "polygamma": (lambda d: {"n": d.turn(0, 1, 2, 3)}, lambda x, n: torch.polygamma(n, x), within(0.4, 6), 4),
    "powScalar": (lambda d: {"exponent": d.turn(2, 3, 0, 1, -1, -2, 4)}, torch.pow, away(0.3, 2), 7),
    "powScalarBase": (lambda d: {"base": d.number(0.3, 3)}, lambda x, base: torch.pow(base, x), normal, 1),
    "addScalar": (lambda d: {"value": d.number(-3, 3)}, lambda x, value: x + value, normal, 1),
    "rsubScalar": (lambda d: {"value": d.number(-3, 3)}, lambda x, value: value - x, normal, 1),
    "divScalar": (lambda d: {"value": d.number(0.5, 3)}, lambda x, value: x / value, normal, 1),
}


def parametric(name, options, fn, domain, variants):
    @kind(name, variants)
    def make(d: Draw) -> Case:
        given = options(d)
        return Case([domain(d, d.shape(0, 5))], given, lambda x: fn(x, **given))


for name, (options, fn, domain, variants) in PARAMETRIC.items():
    parametric(name, options, fn, domain, variants)

ties = lambda d, s: d.grid(s, -1, 0, 1) if d.turn(False, True) else d.normal(s)  # noqa: E731

BINARY = {
    "add": (torch.add, normal, normal),
    "sub": (torch.sub, normal, normal),
    "mul": (torch.mul, normal, normal),
    "div": (torch.div, normal, away(0.4, 3)),
    "maximum": (torch.maximum, ties, ties),
    "minimum": (torch.minimum, ties, ties),
    "pow": (torch.pow, within(0.3, 2.5), away(0.3, 2.5)),
    "atan2": (torch.atan2, away(0.1, 3), away(0.1, 3)),
    "hypot": (torch.hypot, away(0.1, 3), away(0.1, 3)),
    "copysign": (torch.copysign, away(0.1, 3), away(0.1, 3)),
    "logAddExp": (torch.logaddexp, wide, wide),
    "lt": (torch.lt, ties, ties),
    "le": (torch.le, ties, ties),
    "gt": (torch.gt, ties, ties),
    "ge": (torch.ge, ties, ties),
    "eq": (torch.eq, ties, ties),
    "ne": (torch.ne, ties, ties),
    "logicalAnd": (torch.logical_and, ties, ties),
    "logicalOr": (torch.logical_or, ties, ties),
    "logicalXor": (torch.logical_xor, ties, ties),
    "heaviside": (lambda a, b: torch.heaviside(a.detach(), b.detach()), ties, normal),
}


def binary(name, fn, left, right):
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        a, b = d.broadcasting(2)
        return Case([left(d, a), right(d, b)], {}, fn)


for name, (fn, left, right) in BINARY.items():
    binary(name, fn, left, right)


def quotients(d: Draw, shape):
    """Divisors and dividends whose quotient is no whole number in float64 or float32."""
    a, b = d.broadcasting(2)
    divisor = d.signed(b, 0.4, 3)
    whole = d.ints(torch.broadcast_shapes(a, b), -4, 4).double()
    part = d.uniform(whole.shape, 0.2, 0.8)
    return ((whole + part) * divisor).float().double(), divisor


REMAINDERS = {
    "fmod": torch.fmod,
    "remainder": torch.remainder,
    "floorDivide": lambda a, b: torch.floor_divide(a.detach(), b.detach()),
}


def remainders(name, fn):
    @kind(name)
    def make(d: Draw) -> Case:
        return Case(list(quotients(d, [])), {}, fn)


for name, fn in REMAINDERS.items():
    remainders(name, fn)


@kind("divRounding", variants=2)
def div_rounding(d: Draw) -> Case:
    mode = d.turn("trunc", "floor")
    return Case(list(quotients(d, [])), {"roundingMode": mode}, lambda a, b: torch.div(a, b, rounding_mode=mode))


INTEGERS = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "remainder": torch.remainder,
    "fmod": torch.fmod,
    "floorDivide": torch.floor_divide,
    "bitwiseAnd": torch.bitwise_and,
    "bitwiseOr": torch.bitwise_or,
    "bitwiseXor": torch.bitwise_xor,
    "div": torch.true_divide,
    "eq": torch.eq,
    "lt": torch.lt,
}


def integers(name, fn):
    @kind(name)
    def of_integers(d: Draw) -> Case:
        a, b = d.broadcasting(2)
        divisor = d.ints(b, 1, 9) * (2 * d.mask(b) - 1)
        return Case([d.ints(a, -100, 100), divisor], {}, fn)


for name, fn in INTEGERS.items():
    integers(name, fn)


@kind("bitwiseLeftShift")
def left_shift(d: Draw) -> Case:
    shape = d.shape(1, 3)
    return Case([d.ints(shape, -50, 50), d.ints(shape, 0, 9)], {}, torch.bitwise_left_shift)


@kind("bitwiseRightShift")
def right_shift(d: Draw) -> Case:
    shape = d.shape(1, 3)
    return Case([d.ints(shape, -5000, 5000), d.ints(shape, 0, 9)], {}, torch.bitwise_right_shift)


@kind("bitwiseNot")
def bitwise_not(d: Draw) -> Case:
    return Case([d.ints(d.shape(1, 3), -50, 50)], {}, torch.bitwise_not)


@kind("where", variants=2)
def where(d: Draw) -> Case:
    condition, a, b = d.broadcasting(3)
    return Case([d.mask(condition), d.normal(a), d.normal(b)], {}, lambda c, x, y: torch.where(c != 0, x, y))


@kind("lerp", variants=2)
def lerp(d: Draw) -> Case:
    a, b, w = d.broadcasting(3)
    return Case([d.normal(a), d.normal(b), d.uniform(w, -0.5, 1.5)], {}, torch.lerp)


@kind("addcmul")
def addcmul(d: Draw) -> Case:
    value = d.number(-2, 2)
    x, a, b = map(d.normal, d.broadcasting(3))
    return Case([x, a, b], {"value": value}, lambda x, a, b: torch.addcmul(x, a, b, value=value))


@kind("addcdiv")
def addcdiv(d: Draw) -> Case:
    value = d.number(-2, 2)
    x, a, b = d.broadcasting(3)
    return Case([d.normal(x), d.normal(a), d.signed(b, 0.4, 3)], {"value": value},
                lambda x, a, b: torch.addcdiv(x, a, b, value=value))


@kind("prelu", variants=3)
def prelu(d: Draw) -> Case:
    shape = d.shape(2, 4)
    count = d.turn(1, shape[1], 1)
    return Case([d.signed(shape, 0.1, 2), d.uniform([count], 0, 1)], {}, F.prelu)


@kind("glu", variants=2)
def glu(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    shape[dim] *= 2
    options = {"dim": dim}
    return Case([d.normal(shape)], options, lambda x: F.glu(x, dim))


@kind("softmin")
def softmin(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    return Case([d.normal(shape, 3)], {"dim": dim}, lambda x: F.softmin(x, dim))


@kind("clampTensors", variants=3)
def clamp_tensors(d: Draw) -> Case:
    _, a, b = d.broadcasting(3)
    x = torch.broadcast_shapes(a, b)
    return Case([d.normal(x), d.normal(a, 0.5), d.normal(b, 0.5)], {}, torch.clamp)


@kind("nanToNum", variants=2)
def nan_to_num(d: Draw) -> Case:
    options = d.turn({}, {"nan": 2.0, "posInf": 9.0, "negInf": -7.5})
    x = d.grid(d.shape(1, 3), -1.5, 0, 2, float("nan"), float("inf"), float("-inf"))
    return Case([x], options, lambda x: torch.nan_to_num(
        x, options.get("nan", 0.0), options.get("posInf", 3.4028234663852886e38), options.get("negInf", -3.4028234663852886e38)))


@kind("isClose", variants=2)
def is_close(d: Draw) -> Case:
    shape = d.shape(1, 3)
    x = d.normal(shape)
    y = (x + d.grid(shape, 0, 1e-7, 0.05, 0.5)).float().double()
    options = d.turn({}, {"rtol": 0.0, "atol": 0.1})
    return Case([x, y], options, lambda x, y: torch.isclose(x, y, **options))
