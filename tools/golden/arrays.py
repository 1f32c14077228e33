"""Ops that move, join and repeat elements."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw


@kind("reshape", variants=3)
def reshape(d: Draw) -> Case:
    shape = d.shape(0, 5)
    count = 1
    for size in shape:
        count *= size
    factors, rest = [], count
    for divisor in (2, 3, 5, 2):
        if rest % divisor == 0 and d.flip():
            factors.append(divisor)
            rest //= divisor
    target = [*factors, rest] + d.pick([], [1])
    d.rng.shuffle(target)
    target = [int(size) for size in target]
    if d.flip():
        target[d.size(0, len(target) - 1)] = -1
    return Case([d.normal(shape)], {"shape": target}, lambda x: x.reshape(target))


@kind("permute", variants=2)
def permute(d: Draw) -> Case:
    shape = d.shape(0, 6)
    dims = [axis - (len(shape) if d.flip() else 0) for axis in d.order(len(shape))]
    return Case([d.normal(shape)], {"dims": dims}, lambda x: x.permute(dims))


@kind("transpose", variants=2)
def transpose(d: Draw) -> Case:
    shape = d.shape(2, 5)
    options = {"dim0": d.axis(len(shape)), "dim1": d.axis(len(shape))}
    return Case([d.normal(shape)], options, lambda x: x.transpose(options["dim0"], options["dim1"]))


@kind("expand", variants=2)
def expand(d: Draw) -> Case:
    shape = d.shape(0, 4)
    target = [*d.pick([], [d.size(1, 3)], [2, 1]), *shape]
    at = len(target) - len(shape)
    for axis in range(len(shape)):
        if d.flip():
            shape[axis] = 1
        elif d.flip():
            target[at + axis] = -1
    return Case([d.normal(shape)], {"shape": target}, lambda x: x.expand(target))


@kind("cat", variants=3)
def cat(d: Draw) -> Case:
    shape = d.shape(1, 5)
    dim = d.axis(len(shape))
    parts = []
    for _ in range(d.turn(3, 1, 5)):
        part = list(shape)
        part[dim] = d.size(1, 5)
        parts.append(d.normal(part))
    return Case(parts, {"dim": dim}, lambda *parts: torch.cat(parts, dim))


@kind("catEmpty")
def cat_empty(d: Draw) -> Case:
    """A part without elements along the axis."""
    width = d.size(1, 4)
    return Case([d.normal([2, width]), d.normal([0, width]), d.normal([1, width])], {"dim": 0}, lambda *parts: torch.cat(parts, 0))


@kind("stack", variants=2)
def stack(d: Draw) -> Case:
    shape = d.shape(0, 4)
    dim = d.size(-len(shape) - 1, len(shape))
    return Case([d.normal(shape) for _ in range(d.size(1, 4))], {"dim": dim}, lambda *parts: torch.stack(parts, dim))


def drawn_range(d: Draw, size: int):
    """[start, stop, step]: any of them may be null or negative (not the step), or reach beyond the ends."""
    start = d.pick(None, d.size(-size, size - 1), d.size(-size - 2, size - 1))
    stop = d.pick(None, d.size(-size, size), size + 3)
    if len(range(size)[slice(start, stop)]) == 0:
        start, stop = None, None
    return [start, stop, d.pick(1, 1, 2, 3, None)]


@kind("slice", variants=4)
def slices(d: Draw) -> Case:
    shape = d.shape(1, 5)
    ranges = [drawn_range(d, size) for size in shape]
    for item in ranges:
        item[2] = item[2] or 1
    ranges = ranges[: d.size(1, len(ranges))]
    return Case([d.normal(shape)], {"ranges": ranges}, lambda x: x[tuple(slice(*item) for item in ranges)])


@kind("flip", variants=2)
def flip(d: Draw) -> Case:
    shape = d.shape(1, 5)
    dims = d.axes(len(shape))
    return Case([d.normal(shape)], {"dims": dims}, lambda x: x.flip(dims))


@kind("pad", variants=8)
def pad(d: Draw) -> Case:
    mode = d.turn(None, "reflect", "replicate", "circular", "constant", "negative", None, "reflect")
    if mode in (None, "constant", "negative"):
        shape = d.shape(1, 5, smallest=2 if mode == "negative" else 1)
        if mode == "negative":
            shape = [size + 2 for size in shape]
        low = -1 if mode == "negative" else 0
        padding = [d.size(low, 3) for _ in range(2 * d.size(1, len(shape)))]
        options = {"padding": padding, **d.pick({}, {"value": d.number(-2, 2)})}
        if mode == "constant":
            options["mode"] = "constant"
        return Case([d.normal(shape)], options, lambda x: F.pad(x, padding, value=options.get("value", 0.0)))
    spatial = d.size(1, 3)
    shape = [d.size(1, 2) for _ in range(d.size(1, 2) if spatial < 3 else 2)] + [d.size(3, 6) for _ in range(spatial)]
    padding = [d.size(0, 2) for _ in range(2 * spatial)]
    return Case([d.normal(shape)], {"padding": padding, "mode": mode}, lambda x: F.pad(x, padding, mode=mode))


def triangle(name, fn):
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        shape = d.shape(2, 4)
        diagonal = d.size(-shape[-2] - 1, shape[-1] + 1)
        options = d.turn({"diagonal": diagonal}, {})
        return Case([d.normal(shape)], options, lambda x: fn(x, options.get("diagonal", 0)))


triangle("tril", torch.tril)
triangle("triu", torch.triu)


@kind("repeat", variants=2)
def repeat(d: Draw) -> Case:
    shape = d.shape(0, 3, 200)
    repeats = [d.size(1, 3) for _ in range(len(shape) + d.size(0, 2))]
    return Case([d.normal(shape)], {"repeats": repeats}, lambda x: x.repeat(repeats))


@kind("tile", variants=2)
def tile(d: Draw) -> Case:
    shape = d.shape(1, 4, 200)
    repeats = [d.size(1, 3) for _ in range(d.size(1, 4))]
    return Case([d.normal(shape)], {"repeats": repeats}, lambda x: x.tile(repeats))


@kind("repeatInterleave", variants=3)
def repeat_interleave(d: Draw) -> Case:
    shape = d.shape(1, 3, 200)
    dim = d.axis(len(shape))
    counts = [d.size(0, 3) for _ in range(shape[dim])]
    counts[0] += 1
    options = d.turn({"repeats": d.size(1, 3), "dim": dim}, {"repeats": counts, "dim": dim}, {"repeats": 2})

    def run(x):
        repeats = options["repeats"]
        return torch.repeat_interleave(x, repeats if isinstance(repeats, int) else torch.tensor(repeats), options.get("dim"))

    return Case([d.normal(shape)], options, run)


@kind("roll", variants=3)
def roll(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dims = d.axes(len(shape))
    shifts = [d.size(-7, 7) for _ in dims]
    options = d.turn({"shifts": shifts, "dims": dims}, {"shifts": shifts[0]}, {"shifts": shifts[0], "dims": dims[0]})
    return Case([d.normal(shape)], options, lambda x: torch.roll(x, options["shifts"], options.get("dims")))


@kind("rot90", variants=2)
def rot90(d: Draw) -> Case:
    shape = d.shape(2, 4)
    options = {"k": d.size(-5, 5), "dims": d.turn([0, 1], d.axes(len(shape), 2))}
    return Case([d.normal(shape)], options, lambda x: torch.rot90(x, options["k"], options["dims"]))


def diagonal_options(d: Draw, shape) -> dict:
    dims = d.axes(len(shape), 2)
    rows, columns = shape[dims[0]], shape[dims[1]]
    return {"offset": d.size(1 - rows, columns - 1), "dim1": dims[0], "dim2": dims[1]}


@kind("diagonal", variants=2)
def diagonal(d: Draw) -> Case:
    shape = d.shape(2, 4)
    options = d.turn(diagonal_options(d, shape), {})
    return Case([d.normal(shape)], options, lambda x: torch.diagonal(x, **options))


@kind("diagEmbed", variants=2)
def diag_embed(d: Draw) -> Case:
    shape = d.shape(1, 3, 100)
    dims = d.axes(len(shape) + 1, 2)
    options = d.turn({"offset": d.size(-2, 2), "dim1": dims[0], "dim2": dims[1]}, {})
    return Case([d.normal(shape)], options, lambda x: torch.diag_embed(x, **options))


@kind("diag", variants=2)
def diag(d: Draw) -> Case:
    shape = d.turn([d.size(1, 6)], [d.size(2, 6), d.size(2, 6)])
    options = {"diagonal": d.size(-1, 1)}
    return Case([d.normal(shape)], options, lambda x: torch.diag(x, options["diagonal"]))


@kind("trace")
def trace(d: Draw) -> Case:
    return Case([d.normal([d.size(1, 7), d.size(1, 7)])], {}, torch.trace)


@kind("flatten", variants=2)
def flatten(d: Draw) -> Case:
    shape = d.shape(1, 5)
    start = d.size(0, len(shape) - 1)
    end = d.size(start, len(shape) - 1) - d.pick(0, len(shape))
    options = d.turn({"startDim": start, "endDim": end}, {})
    return Case([d.normal(shape)], options, lambda x: torch.flatten(x, options.get("startDim", 0), options.get("endDim", -1)))


@kind("unflatten")
def unflatten(d: Draw) -> Case:
    shape = d.shape(1, 3, 100)
    dim = d.axis(len(shape))
    sizes = [d.size(1, 3), shape[dim]]
    shape[dim] *= sizes[0]
    sizes[d.size(0, 1)] = d.pick(-1, sizes[0]) if sizes[0] == sizes[1] else -1
    return Case([d.normal(shape)], {"dim": dim, "sizes": sizes}, lambda x: x.unflatten(dim, sizes))


@kind("squeeze", variants=3)
def squeeze(d: Draw) -> Case:
    shape = [d.pick(1, 1, d.size(2, 4)) for _ in range(d.size(1, 5))]
    options = d.turn({}, {"dim": d.axis(len(shape))}, {"dim": d.axes(len(shape))})
    dim = options.get("dim")
    return Case([d.normal(shape)], options, lambda x: x.squeeze() if dim is None else x.squeeze(dim if isinstance(dim, int) else tuple(dim)))


@kind("unsqueeze")
def unsqueeze(d: Draw) -> Case:
    shape = d.shape(0, 4)
    dim = d.size(-len(shape) - 1, len(shape))
    return Case([d.normal(shape)], {"dim": dim}, lambda x: x.unsqueeze(dim))


@kind("movedim", variants=2)
def movedim(d: Draw) -> Case:
    shape = d.shape(2, 5)
    count = d.size(1, len(shape))
    source, destination = d.axes(len(shape), count), d.axes(len(shape), count)
    options = d.turn({"source": source, "destination": destination}, {"source": source[0], "destination": destination[0]})
    return Case([d.normal(shape)], options, lambda x: x.movedim(**options))


@kind("narrow")
def narrow(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    start = d.size(0, shape[dim] - 1)
    options = {"dim": dim, "start": start, "length": d.size(1, shape[dim] - start)}
    return Case([d.normal(shape)], options, lambda x: x.narrow(**options))


@kind("select", variants=2)
def select(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    options = {"dim": dim, "index": d.size(-shape[dim], shape[dim] - 1)}
    return Case([d.normal(shape)], options, lambda x: x.select(dim, options["index"]))


def parts(name, arguments):
    """The part `part` of what an op cuts into several."""

    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        shape = d.shape(1, 4)
        dim = d.axis(len(shape))
        given, cut = arguments(d, shape[dim])
        count = len(cut(torch.zeros(shape), dim))
        part = d.size(0, count - 1)
        return Case([d.normal(shape)], {"dim": dim, "part": part, "count": count, **given}, lambda x: cut(x, dim)[part] * 1.0)


def split_sizes(d: Draw, size: int):
    first = d.size(0, size)
    sizes = d.turn(d.size(1, size + 1), [first, size - first])
    return {"sizes": sizes}, lambda x, dim: torch.split(x, sizes, dim)


def chunk_count(d: Draw, size: int):
    chunks = d.size(1, size + 1)
    return {"chunks": chunks}, lambda x, dim: torch.chunk(x, chunks, dim)


def sections(d: Draw, size: int):
    given = d.turn(d.size(1, size + 1), sorted(d.size(0, size) for _ in range(2)))
    return {"sections": given}, lambda x, dim: torch.tensor_split(x, given, dim)


parts("split", split_sizes)
parts("chunk", chunk_count)
parts("tensorSplit", sections)
parts("unbind", lambda d, size: ({}, lambda x, dim: torch.unbind(x, dim)))


def joined(name, fn, shapes):
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        return Case([d.normal(shape) for shape in shapes(d)], {}, lambda *parts: fn(parts))


def same_shapes(d: Draw):
    shape = d.shape(0, 3, 100)
    return [shape] * d.size(1, 3)


joined("hstack", torch.hstack, same_shapes)
joined("vstack", torch.vstack, same_shapes)
joined("dstack", torch.dstack, same_shapes)
joined("columnStack", torch.column_stack, same_shapes)


@kind("meshgrid", variants=2)
def meshgrid(d: Draw) -> Case:
    indexing = d.turn("ij", "xy")
    vectors = [d.normal([d.size(1, 4)]) for _ in range(d.size(2, 3))]
    part = d.size(0, len(vectors) - 1)
    return Case(vectors, {"indexing": indexing, "part": part}, lambda *v: torch.meshgrid(*v, indexing=indexing)[part])


@kind("cartesianProd")
def cartesian_prod(d: Draw) -> Case:
    return Case([d.normal([d.size(1, 4)]) for _ in range(d.size(1, 3))], {}, torch.cartesian_prod)


@kind("unfoldAxis", variants=2)
def unfold_axis(d: Draw) -> Case:
    shape = d.shape(1, 4)
    dim = d.axis(len(shape))
    options = {"dim": dim, "size": d.size(1, shape[dim]), "step": d.size(1, 3)}
    return Case([d.normal(shape)], options, lambda x: x.unfold(dim, options["size"], options["step"]))


@kind("pixelShuffle")
def pixel_shuffle(d: Draw) -> Case:
    factor = d.size(1, 3)
    shape = [*d.pick([], [2]), d.size(1, 2) * factor**2, d.size(1, 3), d.size(1, 3)]
    return Case([d.normal(shape)], {"factor": factor}, lambda x: F.pixel_shuffle(x, factor))


@kind("pixelUnshuffle")
def pixel_unshuffle(d: Draw) -> Case:
    factor = d.size(1, 3)
    shape = [*d.pick([], [2]), d.size(1, 2), d.size(1, 3) * factor, d.size(1, 3) * factor]
    return Case([d.normal(shape)], {"factor": factor}, lambda x: F.pixel_unshuffle(x, factor))
