"""Seeded draws of shapes and values. Values are float32 numbers held in float64, so that storing them loses nothing."""

import zlib

import numpy as np
import torch


class Draw:
    """What one case draws from. Every case has random numbers of its own: adding a case changes no other."""

    def __init__(self, seed: int, name: str, index: int, small: bool = False):
        self.index = index
        self.small = small
        self.rng = np.random.default_rng([seed, zlib.crc32(name.encode()), index])

    # Options

    def size(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, *options):
        return options[self.size(0, len(options) - 1)]

    def turn(self, *options):
        """One after another over the cases of a kind: a few cases see all of them."""
        return options[self.index % len(options)]

    def flip(self) -> bool:
        return self.pick(True, False)

    def number(self, low: float, high: float) -> float:
        """With three decimals, so that files stay readable."""
        return round(float(self.rng.uniform(low, high)), 3)

    # Shapes

    def shape(self, low: int = 0, high: int = 5, elements: int = 1500, smallest: int = 1) -> list[int]:
        """`low` to `high` axes, often one of them 1, with at most about `elements` elements."""
        rank = self.size(low, high)
        if rank == 0:
            return []
        elements = min(elements, 20) if self.small else elements
        limit = max(2, int(elements ** (1 / rank)))
        sizes = [self.size(max(smallest, 1), max(smallest, limit)) for _ in range(rank)]
        if smallest <= 1 and self.size(0, 2) == 0:
            sizes[self.size(0, rank - 1)] = 1
        return sizes

    def axis(self, rank: int) -> int:
        """From the start or, negative, from the end."""
        return self.size(-rank, rank - 1) if rank > 0 else self.pick(0, -1)

    def axes(self, rank: int, count: int | None = None) -> list[int]:
        """Different axes in any order, some counted from the end."""
        count = self.size(1, rank) if count is None else count
        chosen = self.rng.permutation(rank)[:count]
        return [int(axis) - (rank if self.flip() else 0) for axis in chosen]

    def order(self, count: int) -> list[int]:
        return [int(i) for i in self.rng.permutation(count)]

    def broadcasting(self, count: int, rank: int = 4) -> list[list[int]]:
        """Shapes that broadcast with one another: axes of 1, and leading axes that are not there."""
        whole = self.shape(1, rank)
        shapes = []
        for i in range(count):
            dropped = 0 if i == 0 else self.pick(0, 0, self.size(0, len(whole)))
            shapes.append([1 if self.size(0, 3) == 0 else size for size in whole[dropped:]])
        self.rng.shuffle(shapes)
        return shapes

    # Values

    def normal(self, shape, scale: float = 1.0) -> torch.Tensor:
        return _float32(self.rng.normal(size=tuple(shape)) * scale)

    def uniform(self, shape, low: float, high: float) -> torch.Tensor:
        return _float32(self.rng.uniform(low, high, size=tuple(shape)))

    def signed(self, shape, low: float, high: float) -> torch.Tensor:
        """Away from zero: of either sign, with a magnitude from low to high."""
        sign = self.rng.choice([-1.0, 1.0], size=tuple(shape))
        return _float32(self.rng.uniform(low, high, size=tuple(shape)) * sign)

    def distinct(self, shape, scale: float = 2.0) -> torch.Tensor:
        """No two alike, far enough apart for float32."""
        count = int(np.prod(shape, dtype=int))
        line = (self.rng.permutation(count) + self.rng.uniform(0.2, 0.8, size=count)) / max(count, 1)
        return _float32((line.reshape(tuple(shape)) * 2 - 1) * scale)

    def grid(self, shape, *values: float) -> torch.Tensor:
        """Out of a few values: ties, and the places where slopes jump."""
        return _float32(self.rng.choice(values, size=tuple(shape)))

    def ints(self, shape, low: int, high: int) -> torch.Tensor:
        """From low to high, both included; int64 as PyTorch wants indices, stored as int32."""
        return torch.from_numpy(np.asarray(self.rng.integers(low, high + 1, size=tuple(shape)), dtype=np.int64))

    def mask(self, shape, share: float = 0.5) -> torch.Tensor:
        """Ones and zeros, int64."""
        return torch.from_numpy(np.asarray(self.rng.uniform(size=tuple(shape)) < share, dtype=np.int64))


def _float32(values) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float32).astype(np.float64))
