"""Ops that read and write elements at indices."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw


def gathered(d: Draw):
    """x, an axis of it, and indices whose other axes are no longer than x's."""
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    places = [d.size(1, size) for size in shape] if d.flip() else list(shape)
    places[dim] = d.size(1, 6)
    return shape, dim, d.ints(places, 0, shape[dim] - 1)


@kind("gather", variants=3)
def gather(d: Draw) -> Case:
    shape, dim, indices = gathered(d)
    return Case([d.normal(shape), indices], {"dim": dim}, lambda x, i: x.gather(dim, i))


@kind("indexSelect", variants=2)
def index_select(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    indices = d.ints([d.size(1, 9)], 0, shape[dim] - 1)
    return Case([d.normal(shape), indices], {"dim": dim}, lambda x, i: x.index_select(dim, i))


@kind("scatterAdd", variants=3)
def scatter_add(d: Draw) -> Case:
    shape, dim, indices = gathered(d)
    return Case([d.normal(shape), indices, d.normal(indices.shape)], {"dim": dim}, lambda x, i, s: x.scatter_add(dim, i, s))


def unique_indices(d: Draw):
    """As `gathered`, with no index twice in a line: PyTorch leaves open which of equal ones wins."""
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    places = list(shape)
    places[dim] = d.size(1, shape[dim])
    indices = torch.argsort(d.normal(shape), dim=dim).narrow(dim, 0, places[dim]).contiguous()
    return shape, dim, indices


@kind("scatter", variants=2)
def scatter(d: Draw) -> Case:
    shape, dim, indices = unique_indices(d)
    return Case([d.normal(shape), indices, d.normal(indices.shape)], {"dim": dim}, lambda x, i, s: x.scatter(dim, i, s))


@kind("scatterValue")
def scatter_value(d: Draw) -> Case:
    shape, dim, indices = gathered(d)
    value = d.number(-2, 2)
    return Case([d.normal(shape), indices], {"dim": dim, "value": value}, lambda x, i: x.scatter(dim, i, value))


@kind("scatterReduce", variants=10)
def scatter_reduce(d: Draw) -> Case:
    shape, dim, indices = gathered(d)
    reduce = d.turn("sum", "prod", "mean", "amax", "amin")
    include = d.index % 10 < 5
    x = d.signed(shape, 0.5, 1.5) if reduce == "prod" else d.normal(shape)
    source = d.signed(indices.shape, 0.5, 1.5) if reduce == "prod" else d.normal(indices.shape)
    options = {"dim": dim, "reduce": reduce, "includeSelf": include}
    return Case([x, indices, source], options, lambda x, i, s: x.scatter_reduce(dim, i, s, reduce, include_self=include))


@kind("indexAdd", variants=2)
def index_add(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    indices = d.ints([d.size(1, 6)], 0, shape[dim] - 1)
    source = list(shape)
    source[dim] = len(indices)
    options = {"dim": dim, **d.turn({}, {"alpha": d.number(-2, 2)})}
    return Case([d.normal(shape), indices, d.normal(source)], options,
                lambda x, i, s: x.index_add(dim, i, s, alpha=options.get("alpha", 1)))



@kind("indexCopy")
def index_copy(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    indices = torch.tensor(d.order(shape[dim])[: d.size(1, shape[dim])])
    source = list(shape)
    source[dim] = len(indices)
    return Case([d.normal(shape), indices, d.normal(source)], {"dim": dim}, lambda x, i, s: x.index_copy(dim, i, s))


@kind("indexFill")
def index_fill(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    options = {"dim": dim, "value": d.number(-2, 2)}
    indices = d.ints([d.size(1, 4)], 0, shape[dim] - 1)
    return Case([d.normal(shape), indices], options, lambda x, i: x.index_fill(dim, i, options["value"]))


@kind("take")
def take(d: Draw) -> Case:
    x = d.normal(d.shape(1, 3))
    indices = d.ints(d.shape(1, 3), -x.numel(), x.numel() - 1)
    return Case([x, indices], {}, torch.take)


@kind("takeAlongDim", variants=2)
def take_along_dim(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    if d.turn(True, False):
        places = [d.pick(1, size) for size in shape]
        places[dim] = d.size(1, 5)
        return Case([d.normal(shape), d.ints(places, 0, shape[dim] - 1)], {"dim": dim}, lambda x, i: torch.take_along_dim(x, i, dim))
    x = d.normal(shape)
    return Case([x, d.ints([5], 0, x.numel() - 1)], {}, torch.take_along_dim)


@kind("maskedFill")
def masked_fill(d: Draw) -> Case:
    shape = d.shape(1, 4)
    mask = [1 if d.size(0, 3) == 0 else size for size in shape[d.size(0, len(shape) - 1):]]
    value = d.number(-2, 2)
    return Case([d.normal(shape), d.mask(mask)], {"value": value}, lambda x, m: x.masked_fill(m != 0, value))



@kind("embedding", variants=3)
def embedding(d: Draw) -> Case:
    """The row of paddingIdx is read as it is, and gets no gradient."""
    rows, width = d.size(1, 12), d.size(1, 8)
    options = d.turn({}, {}, {"paddingIdx": d.size(-rows, rows - 1)})
    indices = d.ints(d.shape(0, 4, 60), 0, rows - 1)
    return Case([d.normal([rows, width]), indices], options, lambda w, i: F.embedding(i, w, options.get("paddingIdx")))


@kind("embeddingBag", variants=4)
def embedding_bag(d: Draw) -> Case:
    rows, width = d.size(2, 9), d.size(1, 6)
    mode = d.turn("sum", "mean", "max", "sum")
    indices = d.ints([d.size(1, 4), d.size(1, 5)], 0, rows - 1)
    if d.turn(False, False, False, True):
        weights = d.normal(indices.shape)
        return Case([d.normal([rows, width]), indices, weights], {"mode": mode},
                    lambda w, i, s: F.embedding_bag(i, w, mode=mode, per_sample_weights=s))
    return Case([d.distinct([rows, width]), indices], {"mode": mode}, lambda w, i: F.embedding_bag(i, w, mode=mode))


@kind("oneHot")
def one_hot(d: Draw) -> Case:
    classes = d.size(2, 6)
    return Case([d.ints(d.shape(0, 3, 60), 0, classes - 1)], {"classes": classes}, lambda i: F.one_hot(i, classes))


def entries(d: Draw, shape):
    """Numbers, ranges, whole axes and tensors of indices that broadcast, as in x[...]."""
    lines = d.broadcasting(2, 2)
    chosen, tensors = [], []
    for axis, size in enumerate(shape):
        what = d.pick("tensor", "range", "whole", "number", "tensor") if axis > 0 else d.turn("tensor", "range", "number", "whole")
        if what == "tensor" and len(tensors) < 2:
            indices = d.ints(lines[len(tensors)], -size, size - 1)
            chosen.append({"tensor": len(tensors)})
            tensors.append(indices)
        elif what == "range":
            chosen.append({"range": [d.size(0, size - 1), None, d.pick(1, 2)]})
        elif what == "number":
            chosen.append({"number": d.size(-size, size - 1)})
        else:
            chosen.append({"whole": True})
    if not tensors:
        chosen[0] = {"tensor": 0}
        tensors.append(d.ints(lines[0], -shape[0], shape[0] - 1))
    return chosen, tensors


def python_index(chosen, tensors):
    found = []
    for entry in chosen:
        if "tensor" in entry:
            found.append(tensors[entry["tensor"]])
        elif "range" in entry:
            found.append(slice(*entry["range"]))
        elif "number" in entry:
            found.append(entry["number"])
        else:
            found.append(slice(None))
    return tuple(found)


@kind("index", variants=6)
def index(d: Draw) -> Case:
    """A number beside tensors counts as a tensor of indices in PyTorch: it may not stand apart from them here."""
    shape = [size + 1 for size in d.shape(1, 4)]
    chosen, tensors = entries(d, shape)
    return Case([d.normal(shape), *tensors], {"entries": chosen}, lambda x, *i: x[python_index(chosen, i)])


@kind("indexPut", variants=2)
def index_put(d: Draw) -> Case:
    """Indices in several axes; where one place is named twice, only sums are defined."""
    shape = [d.size(2, 5) for _ in range(3)]
    accumulate = d.turn(True, False)
    count = d.size(1, 4)
    rows = d.ints([count], 0, shape[0] - 1) if accumulate else torch.tensor(d.order(shape[0])[:count])
    columns = d.ints([len(rows)], 0, shape[1] - 1)
    values = d.normal(d.pick([len(rows), shape[2]], [shape[2]], [1, 1]))
    return Case([d.normal(shape), rows, columns, values], {"accumulate": accumulate},
                lambda x, i, j, v: x.index_put((i, j), v, accumulate))


@kind("sliceScatter", variants=2)
def slice_scatter(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    options = {"dim": dim, "start": d.turn(d.size(0, shape[dim] - 1), None), "end": d.pick(None, shape[dim] + 1), "step": d.size(1, 2)}
    arguments = (dim, options["start"], options["end"], options["step"])
    part = torch.zeros(shape).transpose(0, dim)[slice(*arguments[1:])].transpose(0, dim)
    return Case([d.normal(shape), d.normal(part.shape)], options, lambda x, s: torch.slice_scatter(x, s, *arguments))


@kind("selectScatter")
def select_scatter(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    options = {"dim": dim, "index": d.size(-shape[dim], shape[dim] - 1)}
    part = torch.zeros(shape).select(dim, 0).shape
    return Case([d.normal(shape), d.normal(part)], options, lambda x, s: torch.select_scatter(x, s, dim, options["index"]))


@kind("diagonalScatter")
def diagonal_scatter(d: Draw) -> Case:
    shape = d.shape(2, 3)
    options = {"offset": d.size(1 - shape[0], shape[1] - 1)}
    part = torch.diagonal(torch.zeros(shape), options["offset"]).shape
    return Case([d.normal(shape), d.normal(part)], options, lambda x, s: torch.diagonal_scatter(x, s, options["offset"]))


@kind("trilIndices")
def tril_indices(d: Draw) -> Case:
    options = {"rows": d.size(1, 5), "columns": d.size(1, 5), "offset": d.size(-1, 2)}
    return Case([], options, lambda: torch.tril_indices(options["rows"], options["columns"], options["offset"]))


@kind("bincount", variants=2)
def bincount(d: Draw) -> Case:
    values = d.ints([d.size(1, 12)], 0, 6)
    options = d.turn({}, {"minLength": 9})
    return Case([values], options, lambda x: torch.bincount(x, minlength=options.get("minLength", 0)))


@kind("nonzero")
def nonzero(d: Draw) -> Case:
    return Case([d.grid(d.shape(1, 3), 0, 0, 1.5)], {}, lambda x: torch.nonzero(x.detach()))


@kind("unique")
def unique(d: Draw) -> Case:
    return Case([d.grid(d.shape(1, 3), -1, 0.5, 2, 7)], {}, lambda x: torch.unique(x.detach()))


@kind("maskedSelect")
def masked_select(d: Draw) -> Case:
    shape = d.shape(1, 3)
    return Case([d.normal(shape), d.mask(shape, 0.6)], {}, lambda x, m: x.masked_select(m != 0))
