"""The corners: axes of tensors without axes, axes without elements, ties, zeros where slopes end, integers that meet floats."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw

INFINITY = float("inf")


ALONG = {
    "sum": lambda x, dim: x.sum(dim), "mean": lambda x, dim: x.mean(dim), "prod": lambda x, dim: x.prod(dim),
    "logSumExp": torch.logsumexp, "amax": torch.amax, "amin": torch.amin, "softmax": torch.softmax,
    "logSoftmax": torch.log_softmax, "cumsum": torch.cumsum, "cumprod": torch.cumprod, "argmax": torch.argmax,
    "argmin": torch.argmin, "any": torch.any, "all": torch.all, "flip": None,
    "sort": lambda x, dim: torch.sort(x, dim).values, "argsort": lambda x, dim: torch.argsort(x, dim),
    "cummax": lambda x, dim: torch.cummax(x, dim).values, "squeeze": torch.squeeze, "unsqueeze": torch.unsqueeze,
    "logCumSumExp": torch.logcumsumexp,
}


def scalar(name, fn):
    @kind(name, variants=2)
    def of_a_scalar(d: Draw) -> Case:
        """A tensor without axes has, for those who name one, an axis of one element: 0 or -1."""
        dim = d.turn(0, -1)
        options = {"dims": [dim]} if name == "flip" else {"dim": dim, **({"descending": False} if name.endswith("sort") else {})}
        run = (lambda x: x.flip([dim])) if name == "flip" else lambda x: fn(x, dim)
        return Case([d.normal([])], options, run)


for name, fn in ALONG.items():
    scalar(name, fn)


@kind("topK")
def top_k_scalar(d: Draw) -> Case:
    return Case([d.normal([])], {"k": 1, "dim": -1}, lambda x: torch.topk(x, 1).values)


@kind("indexSelect")
def index_select_scalar(d: Draw) -> Case:
    return Case([d.normal([]), torch.tensor([0])], {"dim": 0}, lambda x, i: x.index_select(0, i))


@kind("gather")
def gather_scalar(d: Draw) -> Case:
    return Case([d.normal([]), torch.tensor(0)], {"dim": 0}, lambda x, i: x.gather(0, i))


EMPTY = {
    "sum": lambda x, dim: x.sum(dim), "prod": lambda x, dim: x.prod(dim), "mean": lambda x, dim: x.mean(dim),
    "cumsum": torch.cumsum, "softmax": torch.softmax, "logSoftmax": torch.log_softmax, "any": torch.any, "all": torch.all,
}


def empty(name, fn):
    @kind(name, variants=2)
    def without_elements(d: Draw) -> Case:
        """Along the axis of 0 elements, and along another."""
        return Case([d.normal([2, 0, 3])], {"dim": d.turn(1, 0)}, lambda x: fn(x, d.turn(1, 0)))


for name, fn in EMPTY.items():
    empty(name, fn)


@kind("matmul", variants=3)
def matmul_empty(d: Draw) -> Case:
    a, b = d.turn(([2, 0], [0, 3]), ([0, 2], [2, 3]), ([2, 3], [3, 0]))
    return Case([d.normal(a), d.normal(b)], {}, torch.matmul)


@kind("linear", variants=2)
def linear_empty(d: Draw) -> Case:
    x = d.turn([0, 3], [2, 0, 3])
    return Case([d.normal(x), d.normal([4, 3]), d.normal([4])], {}, F.linear)


@kind("conv2d")
def conv_empty(d: Draw) -> Case:
    return Case([d.normal([0, 2, 4, 4]), d.normal([3, 2, 3, 3]), d.normal([3])], {}, F.conv2d)


@kind("indexSelect")
def index_select_empty(d: Draw) -> Case:
    return Case([d.normal([2, 3]), torch.zeros([0], dtype=torch.int64)], {"dim": 1}, lambda x, i: x.index_select(1, i))


@kind("slice")
def slice_empty(d: Draw) -> Case:
    return Case([d.normal([4, 3])], {"ranges": [[2, 2, 1]]}, lambda x: x[2:2])


@kind("einsum")
def einsum_empty(d: Draw) -> Case:
    return Case([d.normal([2, 0]), d.normal([0, 3])], {"equation": "ij,jk->ik"}, lambda a, b: torch.einsum("ij,jk->ik", a, b))


@kind("add")
def add_empty(d: Draw) -> Case:
    return Case([d.normal([2, 0, 3]), d.normal([1, 1, 3])], {}, torch.add)


@kind("powScalar", variants=6)
def pow_of_zero(d: Draw) -> Case:
    exponent = d.turn(2, 3, 0, 1, 4, 1.5)
    x = d.grid([6], 0, 1, 2) if exponent == 1.5 else d.grid([6], -2, -1, 0, 1, 2)
    return Case([x], {"exponent": exponent}, lambda x: x**exponent)


@kind("pow")
def pow_whole(d: Draw) -> Case:
    """Of negative numbers, to whole powers: the exponent has no gradient to speak of."""
    return Case([d.signed([8], 0.3, 2), d.ints([8], -3, 3).double()], {}, lambda a, b: a ** b.detach())


@kind("norm", variants=4)
def norm_of_zeros(d: Draw) -> Case:
    p = d.turn(2, 1, 3, "fro")
    x = d.normal([3, 4])
    x[1] = 0
    return Case([x], {"p": p, "dim": 1}, lambda x: torch.linalg.vector_norm(x, 2 if p == "fro" else p, 1))


@kind("norm", variants=2)
def norm_ties(d: Draw) -> Case:
    p = d.turn(INFINITY, -INFINITY)
    return Case([d.grid([4, 5], -2, -1, 1, 2)], {"p": str(p), "dim": 1}, lambda x: torch.linalg.vector_norm(x, p, 1))


@kind("std", variants=2)
def std_of_constants(d: Draw) -> Case:
    x = d.normal([3, 4])
    x[1] = 0.5
    return Case([x], {"dim": 1, "correction": d.turn(1, 0)}, lambda x: x.std(1, correction=d.turn(1, 0)))


@kind("max", variants=3)
def max_ties(d: Draw) -> Case:
    """Over all elements, and over several axes: equal ones share."""
    options = d.turn({}, {"dim": [0, 1]}, {"dim": [0, 2]})
    return Case([d.grid([2, 3, 4], 0, 1)], options, lambda x: x.amax(options["dim"]) if options else x.max())


@kind("prod", variants=2)
def prod_zeros(d: Draw) -> Case:
    options = d.turn({}, {"dim": [0, 1]})
    x = d.signed([2, 3], 0.5, 1.5)
    x[0, d.size(0, 2)] = 0
    return Case([x], options, lambda x: x.prod())


@kind("clamp", variants=3)
def clamp_bounds(d: Draw) -> Case:
    options = d.turn({"min": -1, "max": 1}, {"min": 0}, {"max": 0})
    return Case([d.grid([9], -2, -1, 0, 1, 2)], options, lambda x: x.clamp(**options))


@kind("softmax", variants=2)
def softmax_masked(d: Draw) -> Case:
    """-1e30, which stands for what is masked, and numbers near the largest."""
    x = d.normal([3, 5], 3)
    x[:, 1] = d.turn(-1e30, -3e38)
    return Case([x.float().double()], {"dim": -1}, lambda x: x.softmax(-1))


@kind("logSumExp", variants=2)
def log_sum_exp_large(d: Draw) -> Case:
    return Case([d.normal([3, 5], 3) + d.turn(1e4, -1e4)], {"dim": 1}, lambda x: x.logsumexp(1))


@kind("scaledDotProductAttention", variants=2)
def attention_masked_row(d: Draw) -> Case:
    """A query that sees no key gives zeros."""
    mask = d.mask([4, 3], 0.6)
    mask[:, 0] = 1
    mask[2] = 0
    shape = [1, 2, d.turn(4, 4), 3]
    q, k, v = d.normal(shape), d.normal([1, 2, 3, 3]), d.normal([1, 2, 3, 3])
    return Case([q, k, v, mask], {}, lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m != 0))


@kind("normalize")
def normalize_zeros(d: Draw) -> Case:
    x = d.normal([3, 4])
    x[1] = 0
    return Case([x], {}, F.normalize)


@kind("cosineSimilarity")
def cosine_of_zeros(d: Draw) -> Case:
    x = d.normal([3, 4])
    x[1] = 0
    return Case([x, d.normal([3, 4])], {"dim": 1}, lambda a, b: F.cosine_similarity(a, b, 1))


@kind("bce")
def bce_certain(d: Draw) -> Case:
    """Logarithms stop at -100."""
    return Case([d.grid([8], 0, 1, 0.25), d.grid([8], 0, 1)], {"reduction": "none"},
                lambda x, y: F.binary_cross_entropy(x.detach(), y.detach(), reduction="none"))


@kind("gaussianNllLoss")
def gaussian_narrow(d: Draw) -> Case:
    return Case([d.normal([6], 1e-3), d.normal([6], 1e-3), d.grid([6], 0, 1e-8, 0.5)], {}, F.gaussian_nll_loss, 1e-3)


@kind("huberLoss")
def huber_corner(d: Draw) -> Case:
    return Case([d.grid([9], -1, 0, 1), torch.zeros(9).double()], {"delta": 1.0, "reduction": "none"},
                lambda x, y: F.huber_loss(x, y, reduction="none"))


@kind("smoothL1Loss")
def smooth_l1_corner(d: Draw) -> Case:
    return Case([d.grid([9], -1, 0, 1), torch.zeros(9).double()], {"reduction": "none"},
                lambda x, y: F.smooth_l1_loss(x, y, reduction="none"))


SMALL = {"log1p": torch.log1p, "expm1": torch.expm1, "tanh": torch.tanh, "asinh": torch.asinh, "atanh": torch.atanh, "sinh": torch.sinh, "erf": torch.erf, "asin": torch.asin, "tan": torch.tan}
LARGE = {"sin": torch.sin, "cos": torch.cos, "atan": torch.atan, "asinh": torch.asinh, "silu": F.silu, "mish": F.mish, "logSigmoid": F.logsigmoid, "lgamma": torch.lgamma, "digamma": torch.digamma}


def small(name, fn):
    @kind(name)
    def near_zero(d: Draw) -> Case:
        """All digits of small numbers count: no absolute tolerance."""
        return Case([d.signed([20], 1e-7, 1e-4)], {}, fn, 1e-5, 0.0)


for name, fn in SMALL.items():
    small(name, fn)


def large(name, fn):
    @kind(name)
    def far_out(d: Draw) -> Case:
        x = d.uniform([20], 20, 100) if name in ("lgamma", "digamma") else d.signed([20], 20, 90)
        return Case([x], {}, fn)


for name, fn in LARGE.items():
    large(name, fn)


@kind("lgamma")
def lgamma_negative(d: Draw) -> Case:
    return Case([(d.ints([12], -5, -1).double() + d.uniform([12], 0.2, 0.8)).float().double()], {}, torch.lgamma)


@kind("erfinv")
def erfinv_ends(d: Draw) -> Case:
    return Case([(d.grid([8], -1, 1) * (1 - d.uniform([8], 1e-5, 1e-2))).float().double()], {}, torch.erfinv, 2e-3)


INTEGERS = {
    "abs": torch.abs, "neg": torch.neg, "sign": torch.sign, "square": torch.square, "relu": torch.relu,
    "floor": torch.floor, "exp": torch.exp, "sigmoid": torch.sigmoid,
}


def of_integers(name, fn):
    @kind(name)
    def integers(d: Draw) -> Case:
        return Case([d.ints(d.shape(1, 3), -9, 9)], {}, fn)


for name, fn in INTEGERS.items():
    of_integers(name, fn)

ALONG_INTEGERS = {
    "max": lambda x, dim: x.amax(dim), "min": lambda x, dim: x.amin(dim), "prod": lambda x, dim: x.prod(dim),
    "argmax": None, "any": torch.any, "all": torch.all, "cumprod": torch.cumprod, "cummax": lambda x, dim: torch.cummax(x, dim).values,
    "flip": None, "countNonzero": torch.count_nonzero,
}


def along_integers(name, fn):
    @kind(name)
    def integers_along(d: Draw) -> Case:
        shape = d.shape(1, 3, 60)
        dim = d.axis(len(shape))
        x = d.ints(shape, -3, 3)
        if name == "argmax":
            return Case([torch.from_numpy(d.rng.permutation(x.numel()).reshape(shape))], {"dim": dim}, lambda x: x.argmax(dim))
        if name == "flip":
            return Case([x], {"dims": [dim]}, lambda x: x.flip([dim]))
        return Case([x], {"dim": dim}, lambda x: fn(x, dim))


for name, fn in ALONG_INTEGERS.items():
    along_integers(name, fn)


def promoted(name, fn):
    @kind(name, variants=2)
    def mixed(d: Draw) -> Case:
        """An integer and a float give a float."""
        a, b = d.broadcasting(2)
        inputs = [d.ints(a, -9, 9), d.signed(b, 0.5, 3)]
        return Case(inputs if d.turn(True, False) else [d.signed(b, 0.5, 3), torch.where(inputs[0] == 0, 1, inputs[0])], {}, fn)


for name, fn in {"add": torch.add, "mul": torch.mul, "sub": torch.sub, "div": torch.div, "maximum": torch.maximum, "lt": torch.lt}.items():
    promoted(name, lambda a, b, fn=fn: fn(a.double(), b.double()))


@kind("cat")
def cat_mixed(d: Draw) -> Case:
    return Case([d.ints([2, 3], -9, 9), d.normal([1, 3])], {"dim": 0}, lambda a, b: torch.cat([a, b]))


@kind("where")
def where_mixed(d: Draw) -> Case:
    return Case([d.mask([4]), d.ints([4], -9, 9), d.normal([4])], {}, lambda c, a, b: torch.where(c != 0, a, b))


@kind("powScalar", variants=2)
def pow_integers(d: Draw) -> Case:
    exponent = d.turn(2, 3)
    return Case([d.ints([9], -9, 9)], {"exponent": exponent}, lambda x: x**exponent)


@kind("pad", variants=4)
def pad_images(d: Draw) -> Case:
    """Padding as wide as may be."""
    mode = d.turn("reflect", "replicate", "circular", "circular")
    wide = {"reflect": 3, "replicate": 6, "circular": 4}[mode]
    padding = [wide, d.size(0, wide), d.size(0, wide), wide]
    return Case([d.normal([1, 2, 4, 4])], {"padding": padding, "mode": mode}, lambda x: F.pad(x, padding, mode=mode))


@kind("interpolate", variants=5)
def interpolate_points(d: Draw) -> Case:
    """From or to one element, with aligned corners and without."""
    mode, corners = d.turn(("bilinear", True), ("bilinear", False), ("bicubic", True), ("nearest", None), ("bicubic", False))
    shape, size = d.pick(([1, 2, 1, 3], [4, 1]), ([1, 1, 3, 1], [1, 2]))
    options = {"mode": mode, "size": size, **({} if corners is None else {"alignCorners": corners})}
    return Case([d.normal(shape)], options, lambda x: F.interpolate(x, size, mode=mode, align_corners=corners))


@kind("permute")
def many_axes(d: Draw) -> Case:
    order = d.order(8)
    return Case([d.normal([2, 1, 2, 1, 2, 3, 1, 2])], {"dims": order}, lambda x: x.permute(order))


@kind("sum")
def sum_many_axes(d: Draw) -> Case:
    dims = d.axes(8, 4)
    return Case([d.normal([2, 1, 2, 3, 2, 1, 2, 2])], {"dim": dims}, lambda x: x.sum(dims))


@kind("add")
def add_many_axes(d: Draw) -> Case:
    return Case([d.normal([2, 1, 2, 1, 2, 3, 1, 2]), d.normal([3, 1, 2, 1, 3, 4, 1])], {}, torch.add)


@kind("crossEntropy", variants=2)
def all_ignored(d: Draw) -> Case:
    """Nothing counts: the sum is 0, the mean is not a number."""
    reduction = d.turn("sum", "none")
    return Case([d.normal([3, 4]), torch.full([3], -100)], {"reduction": reduction}, lambda x, y: F.cross_entropy(x, y, reduction=reduction))


@kind("crossEntropy")
def confident(d: Draw) -> Case:
    y = d.ints([6], 0, 4)
    return Case([d.normal([6, 5], 40), y], {"reduction": "none"}, lambda x, y: F.cross_entropy(x, y, reduction="none"))
