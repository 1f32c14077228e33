"""Losses, each with every reduction."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw


def reduction(d: Draw, *more: str) -> dict:
    given = d.turn("mean", "sum", "none", None, *more)
    return {} if given is None else {"reduction": given}


def constant(weight):
    """PyTorch gives no gradients of weights."""
    return None if weight is None else weight.detach()


def plain(name, fn, options, inputs, variants=4):
    """`options` of a draw beside the reduction; `inputs` of a draw and a shape."""

    @kind(name, variants)
    def make(d: Draw) -> Case:
        given = {**options(d), **reduction(d)}
        return Case(inputs(d, d.shape(0, 4)), given, lambda *x: fn(*x, **given))


def pair(d: Draw, shape):
    return [d.normal(shape, 1.5), d.normal(shape)]


def grid_pair(d: Draw, shape):
    return [d.grid(shape, -2, -1, 0, 1, 2), d.grid(shape, -2, -1, 0, 1, 2)] if d.index == 2 else pair(d, shape)


def signs(d: Draw, shape):
    return d.grid(shape, -1, 1)


plain("mseLoss", F.mse_loss, lambda d: {}, pair)
plain("l1Loss", F.l1_loss, lambda d: {}, grid_pair)
plain("huberLoss", F.huber_loss, lambda d: d.pick({}, {"delta": d.number(0.2, 2)}), grid_pair)
plain("smoothL1Loss", F.smooth_l1_loss, lambda d: d.pick({}, {"beta": d.number(0.2, 2)}, {"beta": 0.0}), grid_pair)
plain("bce", F.binary_cross_entropy, lambda d: {}, lambda d, s: [d.uniform(s, 0.02, 0.98), d.uniform(s, 0, 1)])
plain("softMarginLoss", lambda x, y, **o: F.soft_margin_loss(x, y.detach(), **o), lambda d: {}, lambda d, s: [d.normal(s, 2), signs(d, s)])
plain("hingeEmbeddingLoss", lambda x, y, **o: F.hinge_embedding_loss(x, y.detach(), **o), lambda d: d.pick({}, {"margin": 2.0}), lambda d, s: [d.normal(s, 2), signs(d, s)])
plain("marginRankingLoss", lambda a, b, y, **o: F.margin_ranking_loss(a, b, y.detach(), **o), lambda d: d.pick({}, {"margin": 0.5}), lambda d, s: [d.normal(s), d.normal(s), signs(d, s)])


@kind("bceWithLogits", variants=6)
def bce_with_logits(d: Draw) -> Case:
    """Weights of elements, and posWeight of the last axis."""
    shape = d.shape(1, 3)
    options = reduction(d)
    extra = d.turn((), (), (), ("weight",), ("posWeight",), ("weight", "posWeight"))
    inputs = [d.normal(shape, 3), d.uniform(shape, 0, 1)]
    if "weight" in extra:
        inputs.append(d.uniform(d.pick(shape, shape[-1:]), 0.2, 2))
    if "posWeight" in extra:
        inputs.append(d.uniform(shape[-1:], 0.2, 3))
    if extra:
        options["with"] = list(extra)

    def run(x, y, *rest):
        weights = dict(zip(extra, (weight.detach() for weight in rest)))
        return F.binary_cross_entropy_with_logits(
            x, y, weights.get("weight"), pos_weight=weights.get("posWeight"), reduction=options.get("reduction", "mean"))

    return Case(inputs, options, run)


@kind("klDiv", variants=6)
def kl_div(d: Draw) -> Case:
    options = d.turn({"reduction": "batchmean"}, {"reduction": "mean"}, {"reduction": "sum"}, {"reduction": "none"},
                     {"reduction": "batchmean"}, {})
    shape = d.shape(2, 3)
    mean = options.get("reduction", "mean")
    if d.turn(True, True, False, False, False, True):
        options = {**options, "of": "logSoftmax of both inputs over the last dim, log target"}
        return Case(pair(d, shape), options, lambda x, y: F.kl_div(x.log_softmax(-1), y.log_softmax(-1), reduction=mean, log_target=True))
    options = {**options, "logTarget": d.flip()}
    x, y = torch.log_softmax(d.normal(shape), -1), torch.softmax(d.normal(shape), -1)
    y = y.log() if options["logTarget"] else y
    return Case([x.float().double(), y.float().double()], options, lambda x, y: F.kl_div(x, y, reduction=mean, log_target=options["logTarget"]))


def class_options(d: Draw, classes: int) -> dict:
    options = reduction(d)
    ignored = d.turn(None, -100, classes - 1, None, 0)
    if ignored is not None:
        options["ignoreIndex"] = ignored
    return options


def targets(d: Draw, shape, classes: int, options: dict) -> torch.Tensor:
    """Some are ignored, at least one is not."""
    ignored = options.get("ignoreIndex")
    found = d.ints(shape, 0, classes - 1)
    if ignored is None:
        return found
    found = torch.where(d.mask(shape, 0.3) != 0, ignored, found).reshape(-1)
    found[0] = 0 if ignored != 0 else classes - 1
    return found.reshape(shape)


def class_shapes(d: Draw) -> tuple[int, list[int], list[int]]:
    """The number of classes, logits' shape and targets': [B, C], [B, C, ...] or [C]."""
    classes = d.size(2, 9)
    batch, more = d.turn(([d.size(1, 12)], []), ([d.size(1, 4)], [d.size(1, 5)]), ([2], [2, 3]), ([], []), ([d.size(1, 9)], []))
    return classes, [*batch, classes, *more], [*batch, *more]


def arguments(options: dict) -> dict:
    names = {"ignoreIndex": "ignore_index", "labelSmoothing": "label_smoothing"}
    return {names.get(name, name): value for name, value in options.items()}


@kind("crossEntropy", variants=20)
def cross_entropy(d: Draw) -> Case:
    """Targets as classes or as probabilities (float32 in the logits' shape), weights as a third input."""
    classes, logits, places = class_shapes(d)
    options = class_options(d, classes)
    if d.index // 5 % 2 == 1:
        options["labelSmoothing"] = d.pick(0.1, 0.3)
    if d.index % 7 == 6:
        options.pop("ignoreIndex", None)
        y = torch.softmax(d.normal(logits), 1 if len(logits) > 1 else 0).float().double()
    else:
        y = targets(d, places, classes, options)
    weight = [d.uniform([classes], 0.3, 2)] if d.index % 3 == 1 else []
    return Case([d.normal(logits, 3), y, *weight], options, lambda x, y, w=None: F.cross_entropy(x, y, constant(w), **arguments(options)))


@kind("nllLoss", variants=10)
def nll_loss(d: Draw) -> Case:
    classes, logits, places = class_shapes(d)
    options = class_options(d, classes)
    weight = [d.uniform([classes], 0.3, 2)] if d.index % 3 == 1 else []
    return Case([d.normal(logits), targets(d, places, classes, options), *weight], options,
                lambda x, y, w=None: F.nll_loss(x, y, constant(w), **arguments(options)))


@kind("poissonNllLoss", variants=4)
def poisson(d: Draw) -> Case:
    log_input, full = d.turn((True, False), (False, False), (True, True), (False, True))
    options = {"logInput": log_input, "full": full, **reduction(d)}
    shape = d.shape(1, 3)
    x = d.normal(shape) if log_input else d.uniform(shape, 0.2, 3)
    return Case([x, d.ints(shape, 0, 6).double()], options, lambda x, y: F.poisson_nll_loss(
        x, y.detach(), log_input, full, reduction=options.get("reduction", "mean")))


@kind("gaussianNllLoss", variants=4)
def gaussian(d: Draw) -> Case:
    options = {"full": d.turn(False, True), **reduction(d)}
    shape = d.shape(1, 3)
    variance = d.uniform(d.pick(shape, [*shape[:-1], 1]), 0.2, 2)
    return Case([d.normal(shape), d.normal(shape), variance], options, lambda x, y, v: F.gaussian_nll_loss(x, y, v, **options))


@kind("cosineEmbeddingLoss", variants=4)
def cosine_embedding(d: Draw) -> Case:
    options = {**d.pick({}, {"margin": 0.3}), **reduction(d)}
    n, k = d.size(1, 6), d.size(1, 6)
    shape = d.turn([n, k], [k], [n, k])
    y = signs(d, shape[:-1])
    return Case([d.normal(shape), d.normal(shape), y], options, lambda a, b, y: F.cosine_embedding_loss(a, b, y.detach(), **options))


@kind("tripletMarginLoss", variants=4)
def triplet(d: Draw) -> Case:
    options = {**d.turn({}, {"margin": 0.3, "p": 1.0}, {"swap": True}, {"p": 3.0}), **reduction(d)}
    shape = [d.size(1, 6), d.size(1, 6)]
    return Case([d.normal(shape) for _ in range(3)], options, lambda a, p, n: F.triplet_margin_loss(a, p, n, **options))


@kind("multiMarginLoss", variants=4)
def multi_margin(d: Draw) -> Case:
    options = {**d.turn({}, {"p": 2}, {"margin": 0.5}, {}), **reduction(d)}
    classes = d.size(2, 6)
    n = d.size(1, 6)
    weight = [d.uniform([classes], 0.3, 2)] if d.turn(False, False, False, True) else []
    return Case([d.normal([n, classes]), d.ints([n], 0, classes - 1), *weight], options,
                lambda x, y, w=None: F.multi_margin_loss(x, y, weight=constant(w), **options))
