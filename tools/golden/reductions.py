"""Ops along axes: sums, extremes, running ones, softmax, orders."""

import torch

from case import Case, kind
from draw import Draw


def reduced(d: Draw, multi: bool = True) -> tuple[list[int], dict]:
    """A shape and options: over no axis named, one, a list of one, several, all; with or without keepDim."""
    shape = d.shape(1, 5)
    rank = len(shape)
    choice = d.turn("one", "several", "none", "all", "list") if multi else d.turn("one", "none")
    options = {
        "one": lambda: {"dim": d.axis(rank)},
        "list": lambda: {"dim": [d.axis(rank)]},
        "several": lambda: {"dim": d.axes(rank)},
        "all": lambda: {"dim": list(range(rank))},
        "none": lambda: {},
    }[choice]()
    if "dim" in options and d.flip():
        options["keepDim"] = d.flip()
    return shape, options


def split(options: dict) -> tuple:
    """dim as a tuple or None, and keepdim."""
    dim = options.get("dim")
    return (dim if dim is None or isinstance(dim, int) else tuple(dim)), options.get("keepDim", False)


def every(dim, rank):
    return tuple(range(rank)) if dim is None else dim


def prod(x, dim, keep):
    if dim is None:
        return x.prod()
    axes = sorted((axis % x.dim() for axis in ([dim] if isinstance(dim, int) else dim)), reverse=True)
    for axis in axes:
        x = x.prod(axis, keepdim=keep)
    return x


def extreme(whole, several):
    """Over all elements PyTorch's max() and over axes amax(): equal elements share the gradient in both."""
    return lambda x, dim, keep: whole(x) if dim is None else several(x, dim, keep)


def truth(fn):
    def run(x, dim, keep):
        if dim is None:
            return fn(x)
        for axis in sorted((axis % x.dim() for axis in ([dim] if isinstance(dim, int) else dim)), reverse=True):
            x = fn(x, axis, keepdim=keep)
        return x
    return run


AXES = {
    "sum": (lambda x, dim, keep: x.sum(dim, keep) if dim is not None else x.sum(), "normal"),
    "mean": (lambda x, dim, keep: x.mean(dim, keep) if dim is not None else x.mean(), "normal"),
    "logSumExp": (lambda x, dim, keep: torch.logsumexp(x, every(dim, x.dim()), keep), "wide"),
    "max": (extreme(torch.max, torch.amax), "distinct"),
    "min": (extreme(torch.min, torch.amin), "distinct"),
    "prod": (prod, "near one"),
    "amax": (lambda x, dim, keep: x.amax(every(dim, x.dim()), keep), "ties"),
    "amin": (lambda x, dim, keep: x.amin(every(dim, x.dim()), keep), "ties"),
    "any": (truth(torch.any), "ties"),
    "all": (truth(torch.all), "ties"),
    "nanSum": (lambda x, dim, keep: torch.nansum(x, dim, keep), "nan"),
    "nanMean": (lambda x, dim, keep: torch.nanmean(x, dim, keep), "nan"),
    "countNonzero": (lambda x, dim, keep: torch.count_nonzero(x, dim), "ties"),
}

VALUES = {
    "normal": lambda d, s: d.normal(s),
    "wide": lambda d, s: d.normal(s, d.pick(1, 20)),
    "distinct": lambda d, s: d.distinct(s),
    "near one": lambda d, s: d.signed(s, 0.6, 1.5),
    "ties": lambda d, s: d.grid(s, -1, 0, 1, 2),
    "nan": lambda d, s: torch.where(d.mask(s, 0.2) != 0, float("nan"), d.normal(s)),
}


def over_axes(name, fn, values):
    @kind(name, variants=5)
    def make(d: Draw) -> Case:
        shape, options = reduced(d)
        if name == "nanMean":
            shape = [size + 3 for size in shape[:3]]
            options = {} if "dim" not in options else {"dim": d.axis(len(shape))}
        x = VALUES[values](d, shape)
        if name == "nanMean":
            x = torch.where(torch.arange(x.numel()).reshape(shape) % 2 == 0, d.normal(shape), x)
        if name == "countNonzero":
            options.pop("keepDim", None)
        if name == "prod":
            return Case([x], options, lambda x: fn(x, *split(options)), 5e-4)
        return Case([x], options, lambda x: fn(x, *split(options)))


for name, (fn, values) in AXES.items():
    over_axes(name, fn, values)


@kind("maxTies", variants=2)
def max_ties(d: Draw) -> Case:
    """Along one axis PyTorch's max takes the place of one element; the gradient goes there alone."""
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    largest = d.turn(True, False)
    options = {"dim": dim, "largest": largest}
    fn = torch.max if largest else torch.min
    return Case([d.grid(shape, -1, 0, 1)], options, lambda x: fn(x, dim).values)


@kind("variance", variants=6)
def variance(d: Draw) -> Case:
    shape, options = reduced(d)
    if all(size == 1 for size in shape):
        shape = [3] * len(shape)
    shape = [max(size, 2) for size in shape]
    options["correction"] = d.turn(0, 1, 1, 0, 0, 1)
    dim, keep = split(options)
    return Case([d.normal(shape, 2) + d.turn(0, 3)], options, lambda x: x.var(dim, correction=options["correction"], keepdim=keep))


@kind("std", variants=3)
def std(d: Draw) -> Case:
    shape, options = reduced(d)
    shape = [size + 2 for size in shape]
    options["correction"] = d.turn(1, 0, 2)
    dim, keep = split(options)
    return Case([d.normal(shape)], options, lambda x: x.std(dim, correction=options["correction"], keepdim=keep))


@kind("norm", variants=8)
def norm(d: Draw) -> Case:
    shape, options = reduced(d)
    p = d.turn("fro", 1, 2, 3, float("inf"), float("-inf"), 0, 0.5)
    options["p"] = str(p) if isinstance(p, float) and abs(p) == float("inf") else p
    dim, keep = split(options)
    order = 2 if p == "fro" else p
    x = d.signed(shape, 0.1, 2) if p == 0.5 else d.distinct(shape)
    return Case([x], options, lambda x: torch.linalg.vector_norm(x, order, dim, keep))


def running(name, fn, values, variants=2):
    @kind(name, variants)
    def make(d: Draw) -> Case:
        # Long products reach from 1e-9 to 1e9: the smaller gradients along such a line have no digits in float32.
        shape = d.shape(1, 4, 40 if values == "near one" else 1500)
        dim = d.axis(len(shape))
        return Case([VALUES[values](d, shape)], {"dim": dim}, lambda x: fn(x, dim))


running("cumsum", torch.cumsum, "normal")
running("cumprod", torch.cumprod, "near one")
running("logCumSumExp", torch.logcumsumexp, "wide")
running("softmax", torch.softmax, "wide", 3)
running("logSoftmax", torch.log_softmax, "wide", 3)
running("cummax", lambda x, dim: torch.cummax(x, dim).values, "ties")
running("cummin", lambda x, dim: torch.cummin(x, dim).values, "ties")
running("cummaxIndices", lambda x, dim: torch.cummax(x, dim).indices, "ties")
running("cumminIndices", lambda x, dim: torch.cummin(x, dim).indices, "ties")


@kind("cumprodZeros", variants=2)
def cumprod_zeros(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    return Case([d.grid(shape, -1.5, 0, 1, 2)], {"dim": dim}, lambda x: torch.cumprod(x, dim))


@kind("prodZeros", variants=2)
def prod_zeros(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    return Case([d.grid(shape, -1.5, 0, 1, 2)], {"dim": dim}, lambda x: torch.prod(x, dim))


def places(name, fn):
    @kind(name, variants=3)
    def make(d: Draw) -> Case:
        shape, options = reduced(d, multi=False)
        dim, keep = split(options)
        return Case([d.distinct(shape)], options, lambda x: fn(x) if dim is None else fn(x, dim, keep))


places("argmax", torch.argmax)
places("argmin", torch.argmin)


@kind("softmaxLarge", variants=2)
def softmax_large(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    shift = d.turn(200.0, -300.0)
    return Case([d.normal(shape, 4) + shift], {"dim": dim}, lambda x: x.softmax(dim))


def along(d: Draw) -> tuple[list[int], int]:
    shape = d.shape(1, 4)
    return shape, d.axis(len(shape))


@kind("topK", variants=4)
def top_k(d: Draw) -> Case:
    """Not sorted is any order: ours is the sorted one too."""
    shape, dim = along(d)
    k = d.size(1, shape[dim])
    options = {"k": k, "dim": dim, **d.turn({}, {"largest": False}, {"largest": True, "sorted": True}, {"sorted": False})}
    return Case([d.distinct(shape)], options, lambda x: torch.topk(x, k, dim, options.get("largest", True)).values)


@kind("topKIndices", variants=2)
def top_k_indices(d: Draw) -> Case:
    shape, dim = along(d)
    k = d.size(1, shape[dim])
    options = {"k": k, "dim": dim, "largest": d.turn(True, False)}
    return Case([d.distinct(shape)], options, lambda x: torch.topk(x, k, dim, options["largest"]).indices)


@kind("sort", variants=3)
def sort(d: Draw) -> Case:
    shape, dim = along(d)
    options = {"dim": dim, "descending": d.turn(False, True, True)}
    x = d.turn(d.distinct(shape), d.distinct(shape), d.grid(shape, -1, 0, 1))
    return Case([x], options, lambda x: torch.sort(x, dim=dim, descending=options["descending"], stable=True).values)


@kind("argsort", variants=4)
def argsort(d: Draw) -> Case:
    """Of equal elements the first comes first."""
    shape, dim = along(d)
    options = {"dim": dim, "descending": d.turn(False, True)}
    x = d.turn(d.distinct(shape), d.distinct(shape), d.grid(shape, -1, 0, 1), d.grid(shape, -1, 0, 1))
    return Case([x], options, lambda x: torch.sort(x, dim=dim, descending=options["descending"], stable=True).indices)


@kind("sortIntegers")
def sort_integers(d: Draw) -> Case:
    shape, dim = along(d)
    return Case([d.ints(shape, -9, 9)], {"dim": dim}, lambda x: torch.sort(x, dim=dim, stable=True).values)


@kind("kthValue", variants=2)
def kth_value(d: Draw) -> Case:
    shape, dim = along(d)
    options = {"k": d.size(1, shape[dim]), "dim": dim, "keepDim": d.turn(False, True)}
    return Case([d.distinct(shape)], options, lambda x: torch.kthvalue(x, options["k"], dim, options["keepDim"]).values)


@kind("median", variants=3)
def median(d: Draw) -> Case:
    shape, dim = along(d)
    if d.turn(False, True, False):
        return Case([d.distinct(shape)], {}, torch.median)
    options = {"dim": dim, "keepDim": d.flip()}
    return Case([d.distinct(shape)], options, lambda x: torch.median(x, dim, options["keepDim"]).values)


@kind("nanMedian", variants=2)
def nan_median(d: Draw) -> Case:
    shape, dim = along(d)
    x = d.distinct(shape)
    x = torch.where((d.mask(shape, 0.3) != 0) & (torch.arange(x.numel()).reshape(shape) > 0), float("nan"), x)
    return Case([x], {}, torch.nanmedian)






@kind("histc")
def histc(d: Draw) -> Case:
    options = {"bins": d.size(2, 9), "min": -1.5, "max": 2.0}
    return Case([d.normal(d.shape(1, 2))], options, lambda x: torch.histc(x.detach().float(), options["bins"], -1.5, 2.0).double())


@kind("bucketize", variants=2)
def bucketize(d: Draw) -> Case:
    """Half of the values are boundaries themselves."""
    right = d.turn(False, True)
    boundaries = torch.sort(d.distinct([d.size(2, 9)])).values
    shape = d.shape(1, 3)
    x = torch.where(d.mask(shape) != 0, boundaries[d.ints(shape, 0, len(boundaries) - 1)], d.normal(shape))
    return Case([x, boundaries], {"right": right}, lambda x, b: torch.bucketize(x.detach(), b.detach(), right=right))


@kind("searchSorted", variants=2)
def search_sorted(d: Draw) -> Case:
    right = d.turn(False, True)
    batch, size, count = d.size(1, 4), d.size(1, 9), d.size(1, 5)
    line = torch.sort(d.grid([batch, size], -2, -1, 0, 1, 2), dim=-1).values
    x = d.grid([batch, count], -3, -2, -0.5, 0, 1, 2, 3)
    return Case([line, x], {"right": right}, lambda s, x: torch.searchsorted(s.detach(), x.detach(), right=right))


@kind("sumIntegers", variants=2)
def sum_integers(d: Draw) -> Case:
    shape, dim = along(d)
    return Case([d.ints(shape, -99, 99)], {"dim": dim}, lambda x: x.sum(dim))


@kind("cumsumIntegers")
def cumsum_integers(d: Draw) -> Case:
    shape, dim = along(d)
    return Case([d.ints(shape, -99, 99)], {"dim": dim}, lambda x: x.cumsum(dim))


@kind("sumEmpty", variants=2)
def sum_empty(d: Draw) -> Case:
    shape = [d.size(1, 3), 0, d.size(1, 3)]
    dim = d.turn(1, 0)
    return Case([d.normal(shape)], {"dim": dim}, lambda x: x.sum(dim))
