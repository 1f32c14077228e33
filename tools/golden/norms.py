"""Norms of layers, groups, batches and vectors."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw

LOOSE = {"rtol": 1e-3, "atol": 1e-4}


def spread(d: Draw, shape) -> torch.Tensor:
    """Not centred, and wider than one."""
    return (d.normal(shape, 2) + d.number(-1, 1)).float().double()


@kind("layerNorm", variants=5)
def layer_norm(d: Draw) -> Case:
    """Over one axis or several; the weight's shape says which, or normalizedShape where there is none."""
    shape = [max(size, 3) for size in d.shape(2, 4, 600)]
    axes = d.turn(1, 2, 1, len(shape), 1)
    normalized = shape[-axes:]
    options = {"eps": d.pick(1e-5, 1e-6, 1e-3)}
    inputs = [spread(d, shape), d.normal(normalized), d.normal(normalized)]
    given = d.turn(3, 3, 2, 3, 1)
    if given == 1:
        options["normalizedShape"] = normalized
    return Case(inputs[:given], options, lambda x, w=None, b=None: F.layer_norm(x, normalized, w, b, options["eps"]), **LOOSE)


@kind("rmsNorm", variants=4)
def rms_norm(d: Draw) -> Case:
    shape = [max(size, 2) for size in d.shape(2, 4, 600)]
    normalized = shape[-d.turn(1, 2, 1, 1):]
    options = d.turn({"eps": 1e-6}, {"eps": 1e-5}, {"eps": 1e-2}, {"normalizedShape": normalized, "eps": 1e-6})
    inputs = [spread(d, shape), d.normal(normalized)]
    return Case(inputs[:1] if "normalizedShape" in options else inputs, options,
                lambda x, w=None: F.rms_norm(x, normalized, w, options["eps"]), **LOOSE)


@kind("groupNorm", variants=4)
def group_norm(d: Draw) -> Case:
    groups = d.size(1, 4)
    channels = groups * d.size(1, 3)
    shape = [d.size(1, 3), channels, *d.turn([4, 5], [], [7], [2, 3, 2])]
    if not shape[2:]:
        shape[1] = channels = groups * 3
    options = {"groups": groups, "eps": d.pick(1e-5, 1e-3)}
    inputs = [spread(d, shape), d.normal([channels]), d.normal([channels])][: d.turn(3, 3, 3, 1)]
    return Case(inputs, options, lambda x, w=None, b=None: F.group_norm(x, groups, w, b, options["eps"]), **LOOSE)


@kind("batchNorm", variants=5)
def batch_norm(d: Draw) -> Case:
    """In training: by the batch's own mean and variance."""
    channels = d.size(1, 5)
    shape = [d.size(2, 5), channels, *d.turn([4, 3], [], [6], [2, 3, 2], [3, 3])]
    if len(shape) == 2:
        shape[0] += 4
    options = {"eps": d.pick(1e-5, 1e-3)}
    inputs = [spread(d, shape), d.normal([channels]), d.normal([channels])][: d.turn(3, 3, 3, 3, 1)]
    return Case(inputs, options, lambda x, w=None, b=None: F.batch_norm(x, None, None, w, b, True, 0.1, options["eps"]), **LOOSE)


@kind("batchNormEval")
def batch_norm_eval(d: Draw) -> Case:
    channels = d.size(1, 5)
    shape = [d.size(1, 4), channels, *d.pick([4, 3], [], [6])]
    inputs = [spread(d, shape), d.normal([channels]), d.uniform([channels], 0.5, 2), d.normal([channels]), d.normal([channels])]
    return Case(inputs, {}, lambda x, m, v, w, b: F.batch_norm(x, m.detach(), v.detach(), w, b, False))


@kind("batchNormRunning", variants=2)
def batch_norm_running(d: Draw) -> Case:
    """Mean and variance after one batch, [2, C]."""
    channels = d.size(1, 5)
    momentum = d.turn(0.1, 0.3)
    x = spread(d, [d.size(2, 4), channels, 5])
    inputs = [x, d.normal([channels]), d.uniform([channels], 0.5, 2)]

    def run(x, mean, variance):
        mean, variance = mean.detach().clone(), variance.detach().clone()
        F.batch_norm(x.detach(), mean, variance, training=True, momentum=momentum)
        return torch.stack([mean, variance])

    return Case(inputs, {"momentum": momentum}, run)


@kind("instanceNorm", variants=3)
def instance_norm(d: Draw) -> Case:
    channels = d.size(1, 4)
    shape = [d.size(1, 3), channels, *d.turn([4, 5], [7], [2, 3, 2])]
    options = {"eps": d.pick(1e-5, 1e-3)}
    inputs = [spread(d, shape), d.normal([channels]), d.normal([channels])][: d.turn(3, 1, 3)]
    return Case(inputs, options, lambda x, w=None, b=None: F.instance_norm(x, None, None, w, b, True, 0.1, options["eps"]), **LOOSE)


@kind("localResponseNorm", variants=3)
def local_response_norm(d: Draw) -> Case:
    options = {"size": d.turn(3, 2, 5), **d.turn({}, {"alpha": 0.5, "beta": 0.6, "k": 2.0}, {})}
    shape = [2, d.size(1, 6), *d.turn([3, 4], [5], [2, 2, 3])]
    given = {name: value for name, value in options.items() if name != "size"}
    return Case([d.normal(shape)], options, lambda x: F.local_response_norm(x, options["size"], **given))


@kind("normalize", variants=3)
def normalize(d: Draw) -> Case:
    shape = d.shape(2, 4)
    options = d.turn({}, {"p": 1.0, "dim": d.axis(len(shape))}, {"p": 3.0, "dim": d.axis(len(shape))})
    return Case([d.signed(shape, 0.1, 2)], options, lambda x: F.normalize(x, **options))


@kind("weightNorm", variants=2)
def weight_norm(d: Draw) -> Case:
    shape = [d.size(1, 5), *d.shape(1, 3, 60)]
    dim = d.turn(0, 1)
    g = [size if axis == dim else 1 for axis, size in enumerate(shape)]
    return Case([d.normal(shape), d.normal(g)], {"dim": dim}, lambda v, g: torch._weight_norm(v, g, dim))
