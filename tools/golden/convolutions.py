"""Convolutions, their transposes, and what cuts images into windows or samples them."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw

CONVOLVE = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
SUMS = {"rtol": 2e-4, "atol": 5e-5}


def per_axis(d: Draw, rank: int, low: int, high: int):
    """One number, or one for each axis."""
    return d.pick(d.size(low, high), [d.size(low, high) for _ in range(rank)])


def listed(value, rank: int) -> list[int]:
    return [value] * rank if isinstance(value, int) else list(value)


def some(d: Draw, options: dict, defaults: dict) -> dict:
    """Without some of those that are as they are by default."""
    return {name: value for name, value in options.items() if value != defaults.get(name) or d.flip()}


def convolution(rank: int) -> None:
    @kind(f"conv{rank}d", variants=6)
    def make(d: Draw) -> Case:
        kernel = [d.size(1, 5 if rank < 3 else 3) for _ in range(rank)]
        groups = d.turn(1, 2, 1, 3, 1, 1)
        channels, outputs = groups * d.size(1, 3), groups * d.size(1, 3)
        options = {"stride": per_axis(d, rank, 1, 3), "padding": per_axis(d, rank, 0, 3),
                   "dilation": per_axis(d, rank, 1, 2), "groups": groups}
        word = d.turn(None, None, None, "same", "valid", None)
        if word is not None:
            options["padding"] = word
        if word == "same":
            options["stride"] = 1
        dilation = listed(options["dilation"], rank)
        extent = 7 if d.small else 15 if rank < 3 else 8
        sizes = [max(d.size(3, extent), (k - 1) * step + 1) for k, step in zip(kernel, dilation)]
        batch = d.turn([2], [1], [2], [], [2], [3])
        inputs = [d.normal([*batch, channels, *sizes]), d.normal([outputs, channels // groups, *kernel]), d.normal([outputs])]
        if d.turn(True, True, False):
            inputs = inputs[:3]
        else:
            inputs = inputs[:2]
        options = some(d, options, {"stride": 1, "padding": 0, "dilation": 1, "groups": 1})
        return Case(inputs, options, lambda *x: CONVOLVE[rank](*x, **options), **SUMS)


def transposed(rank: int) -> None:
    @kind(f"convTranspose{rank}d", variants=5)
    def make(d: Draw) -> Case:
        groups = d.turn(1, 2, 1, 3, 1)
        channels, outputs = groups * d.size(1, 2), d.size(1, 3)
        kernel = [d.size(1, 4 if rank < 3 else 3) for _ in range(rank)]
        stride, dilation = per_axis(d, rank, 1, 3), per_axis(d, rank, 1, 2)
        steps, spread = listed(stride, rank), listed(dilation, rank)
        padding = [d.size(0, min((k - 1) * s, 2)) for k, s in zip(kernel, spread)]
        output_padding = [d.size(0, max(s, e) - 1) for s, e in zip(steps, spread)]
        if d.flip():
            padding, output_padding = min(padding), min(output_padding)
        options = some(d, {"stride": stride, "padding": padding, "outputPadding": output_padding, "dilation": dilation, "groups": groups},
                       {"stride": 1, "padding": 0, "outputPadding": 0, "dilation": 1, "groups": 1})
        sizes = [d.size(3, 4 if d.small or rank == 3 else 7) for _ in range(rank)]
        batch = d.turn([2], [1], [2], [], [2])
        inputs = [d.normal([*batch, channels, *sizes]), d.normal([channels, outputs, *kernel]), d.normal([outputs * groups])]
        given = {{"outputPadding": "output_padding"}.get(name, name): value for name, value in options.items()}
        inputs = inputs if d.turn(True, False, True) else inputs[:2]
        return Case(inputs, options, lambda *x: TRANSPOSE[rank](*x, **given), **SUMS)


for rank in (1, 2, 3):
    convolution(rank)
    transposed(rank)


@kind("unfold", variants=2)
def unfold(d: Draw) -> Case:
    kernel = per_axis(d, 2, 1, 3)
    options = {"kernelSize": kernel, "dilation": per_axis(d, 2, 1, 2), "padding": per_axis(d, 2, 0, 2), "stride": per_axis(d, 2, 1, 2)}
    x = d.normal([*d.turn([2], []), d.size(1, 3), d.size(5, 7), d.size(5, 7)])
    arguments = (options["dilation"], options["padding"], options["stride"])
    return Case([x], options, lambda x: F.unfold(x, kernel, *arguments))


@kind("fold", variants=2)
def fold(d: Draw) -> Case:
    size, kernel = [d.size(5, 7), d.size(5, 7)], per_axis(d, 2, 1, 3)
    options = {"outputSize": size, "kernelSize": kernel, "dilation": per_axis(d, 2, 1, 2), "padding": per_axis(d, 2, 0, 2), "stride": per_axis(d, 2, 1, 2)}
    arguments = (options["dilation"], options["padding"], options["stride"])
    columns = F.unfold(torch.zeros([*d.turn([2], []), d.size(1, 3), *size]), kernel, *arguments).shape
    return Case([d.normal(columns)], options, lambda x: F.fold(x, size, kernel, *arguments))


@kind("upsampleNearest2d", variants=3)
def upsample_nearest(d: Draw) -> Case:
    scale = d.turn(2, 3, 1.5)
    return Case([d.normal([d.size(1, 2), d.size(1, 3), d.size(2, 6), d.size(2, 6)])], {"scale": scale},
                lambda x: F.interpolate(x, scale_factor=scale, mode="nearest"))


MODES = (
    ("nearest", 1), ("nearest", 2), ("nearest", 3), ("nearest-exact", 1), ("nearest-exact", 2), ("linear", 1),
    ("bilinear", 2), ("trilinear", 3), ("bicubic", 2), ("area", 1), ("area", 2), ("area", 3),
)


@kind("interpolate", variants=3 * len(MODES))
def interpolate(d: Draw) -> Case:
    """By a size, by factors, and with aligned corners where the mode has them."""
    mode, rank = d.turn(*MODES)
    way = d.index // len(MODES) % 3
    options = {"mode": mode}
    if way == 0:
        options["size"] = per_axis(d, rank, 1, 7)
    else:
        options["scaleFactor"] = d.pick(2, 1.5, 0.5, [d.pick(0.7, 2, 2.5) for _ in range(rank)])
        if way == 2 and d.flip():
            options["recomputeScaleFactor"] = True
    if way != 1 and mode in ("linear", "bilinear", "trilinear", "bicubic"):
        options["alignCorners"] = way == 2 or d.flip()
    shape = [d.size(1, 2), d.size(1, 2), *[d.size(2, 4 if d.small or rank == 3 else 6) for _ in range(rank)]]
    return Case([d.normal(shape)], options, lambda x: F.interpolate(
        x, options.get("size"), options.get("scaleFactor"), mode, options.get("alignCorners"), options.get("recomputeScaleFactor")))


GRIDS = [(mode, padding, corners) for mode in ("bilinear", "nearest", "bicubic")
         for padding in ("zeros", "border", "reflection") for corners in (False, True)]


@kind("gridSample", variants=len(GRIDS))
def grid_sample(d: Draw) -> Case:
    """Places off the points half way, where the slope (or the nearest) jumps."""
    mode, padding, corners = d.turn(*GRIDS)
    h, w = d.size(2, 5), d.size(2, 5)
    size = torch.tensor([w, h]).double()
    places = d.ints([2, 3, 2, 2], -2, 6) + d.uniform([2, 3, 2, 2], 0.1, 0.4) + d.grid([2, 3, 2, 2], 0, 0.5)
    grid = (places / (size - 1) * 2 - 1 if corners else (2 * places + 1) / size - 1).float().double()
    options = {"mode": mode, "paddingMode": padding, "alignCorners": corners}
    return Case([d.normal([2, d.size(1, 3), h, w]), grid], options,
                lambda x, g: F.grid_sample(x, g, mode, padding, corners), 5e-4, 2e-4)


@kind("affineGrid", variants=4)
def affine_grid(d: Draw) -> Case:
    corners, rank = d.turn((False, 2), (True, 2), (False, 3), (True, 3))
    size = [2, 3, *[d.size(1, 4) for _ in range(rank)]]
    options = {"size": size, "alignCorners": corners}
    return Case([d.normal([2, rank, rank + 1])], options, lambda t: F.affine_grid(t, size, corners))
