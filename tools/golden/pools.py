"""Largest elements and means of windows."""

import torch.nn.functional as F

from case import Case, kind
from convolutions import listed, per_axis
from draw import Draw

MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE_MAX = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d}
ADAPTIVE_AVERAGE = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


def image(d: Draw, rank: int, low: int) -> list[int]:
    high = 8 if d.small or rank == 3 else 13
    if d.small and rank == 3:
        high = low + 1
    return [*d.turn([2], [1], []), d.size(1, 3), *[d.size(low, high) for _ in range(rank)]]


def pool_options(d: Draw, rank: int) -> dict:
    kernel = per_axis(d, rank, 2, 3)
    padding = d.turn(0, 1, min(listed(kernel, rank)) // 2)
    options = {"kernelSize": kernel, "padding": padding, "ceilMode": d.turn(False, True, False, True)}
    if d.turn(True, False, True):
        options["stride"] = per_axis(d, rank, 1, 3)
    return options


def keywords(options: dict) -> dict:
    names = {"ceilMode": "ceil_mode", "countIncludePad": "count_include_pad", "divisorOverride": "divisor_override"}
    return {names.get(name, name): value for name, value in options.items() if name != "kernelSize"}


def pools(rank: int) -> None:
    @kind(f"maxPool{rank}d", variants=4)
    def largest(d: Draw) -> Case:
        options = pool_options(d, rank)
        if d.turn(False, True, False, False):
            options["dilation"] = per_axis(d, rank, 1, 2)
        x = d.distinct(image(d, rank, 6 if rank < 3 else 5))
        return Case([x], options, lambda x: MAX[rank](x, options["kernelSize"], **keywords(options)))

    @kind(f"maxPool{rank}dIndices", variants=3)
    def where_largest(d: Draw) -> Case:
        options = pool_options(d, rank)
        x = d.turn(d.distinct, d.distinct, lambda s: d.grid(s, 0, 1))(image(d, rank, 6 if rank < 3 else 5))
        return Case([x], options, lambda x: MAX[rank](x, options["kernelSize"], return_indices=True, **keywords(options))[1])

    @kind(f"avgPool{rank}d", variants=4)
    def average(d: Draw) -> Case:
        options = pool_options(d, rank)
        options["countIncludePad"] = d.turn(True, False, False, True)
        if rank > 1 and d.turn(False, True, False, False):
            options["divisorOverride"] = d.size(2, 7)
        x = d.normal(image(d, rank, 6 if rank < 3 else 5))
        return Case([x], options, lambda x: AVERAGE[rank](x, options["kernelSize"], **keywords(options)))

    @kind(f"adaptiveAvgPool{rank}d", variants=3)
    def adaptive_average(d: Draw) -> Case:
        size = adaptive_size(d, rank)
        return Case([d.normal(image(d, rank, 2))], {"outputSize": size}, lambda x: ADAPTIVE_AVERAGE[rank](x, size))

    @kind(f"adaptiveMaxPool{rank}d", variants=3)
    def adaptive_largest(d: Draw) -> Case:
        size = adaptive_size(d, rank)
        return Case([d.distinct(image(d, rank, 2))], {"outputSize": size}, lambda x: ADAPTIVE_MAX[rank](x, size))


def adaptive_size(d: Draw, rank: int):
    """Smaller and larger than the input; null keeps an axis as it is."""
    if rank > 1 and d.turn(False, True, False):
        return [None, *[d.size(1, 4) for _ in range(rank - 1)]]
    return per_axis(d, rank, 1, 5)


for rank in (1, 2, 3):
    pools(rank)
