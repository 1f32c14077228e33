"""Sums of products: matrices, einsum, distances."""

import torch
import torch.nn.functional as F

from case import Case, kind
from draw import Draw

SUMS = {"rtol": 2e-4, "atol": 5e-5}


@kind("matmul", variants=8)
def matmul(d: Draw) -> Case:
    """Vectors, matrices, and batches that broadcast."""
    limit = 6 if d.small else 40
    m, k, n = d.size(1, limit), d.size(1, limit), d.size(1, limit)
    batch = d.broadcasting(2, 3)
    a, b = d.turn(
        ([m, k], [k, n]), ([k], [k]), ([m, k], [k]), ([k], [k, n]),
        ([3, m, k], [k, n]), ([2, m, k], [2, k, n]), ([k], [2, k, n]), ([2, 3, m, k], [k]),
    )
    if d.index >= 8:
        a, b = [*batch[0][-2:], m, k], [*batch[1][-2:], k, n]
    return Case([d.normal(a), d.normal(b)], {}, torch.matmul, **SUMS)


@kind("linear", variants=3)
def linear(d: Draw) -> Case:
    limit = 6 if d.small else 40
    inputs, outputs = d.size(1, limit), d.size(1, limit)
    x = d.normal([*d.shape(0, 3, 60), inputs])
    weight, bias = d.normal([outputs, inputs]), d.normal([outputs])
    return Case([x, weight, bias] if d.turn(True, True, False) else [x, weight], {}, F.linear, **SUMS)


EQUATIONS = (
    "bhqd,bhkd->bhqk", "ij,jk->ki", "bij,bj->bi", "i,j->ij", "ij,jk", "ii->i", "ii", "bij->b", "ij->", "ij->ji",
    "...ij,...jk->...ik", "b...d,d->b...", "i,i->", "i,i->i", "ab,bc,cd->ad", "bik,kj->bij", "ij,ij->ij", "iij->j",
    "...", "...i->i...", "bn,anm,bm->ba", "i j, j k -> i k", "Ab,bC->AC", "ij,kl->ijkl", "ijk,ijl,ijm->klm", "abc,cd->dab",
    "bqhd,bkhd->bhqk", "bhqk,bkhd->bqhd", ",i->i", "ba", "i,ij,j->", "...a,...b->...ab", "aij,ajk->", "abba->ab",
)


@kind("einsum", variants=len(EQUATIONS))
def einsum(d: Draw) -> Case:
    equation = d.turn(*EQUATIONS)
    sizes = {letter: d.size(1, 4) for letter in equation if letter.isalpha()}
    dots = d.shape(0, 2, 9)
    inputs = []
    for term in equation.split("->")[0].split(","):
        shape = []
        for part in term.replace(" ", "").replace("...", "."):
            shape += dots if part == "." else [sizes[part]]
        inputs.append(d.normal(shape))
    return Case(inputs, {"equation": equation}, lambda *x: torch.einsum(equation, *x), **SUMS)


def shaped(name, fn, shapes, variants=1):
    """`shapes` gives the shapes of the inputs for three sizes."""

    @kind(name, variants)
    def make(d: Draw) -> Case:
        sizes = [d.size(1, 7) for _ in range(4)]
        return Case([d.normal(shape) for shape in shapes(d, *sizes)], {}, fn, **SUMS)


shaped("mm", torch.mm, lambda d, m, k, n, b: [[m, k], [k, n]])
shaped("bmm", torch.bmm, lambda d, m, k, n, b: [[b, m, k], [b, k, n]])
shaped("mv", torch.mv, lambda d, m, k, n, b: [[m, k], [k]])
shaped("dot", torch.dot, lambda d, m, k, n, b: [[k], [k]])
shaped("outer", torch.outer, lambda d, m, k, n, b: [[m], [n]])
shaped("inner", torch.inner, lambda d, m, k, n, b: d.turn([[m, k], [n, k]], [[b, m, k], [k]]), 2)
shaped("kron", torch.kron, lambda d, m, k, n, b: d.turn([[m, k], [n, b]], [[m], [n, b]]), 2)
shaped("multiDot", lambda *x: torch.linalg.multi_dot(x), lambda d, m, k, n, b: d.turn([[m, k], [k, n], [n, b]], [[k], [k, n], [n]]), 2)
shaped("bilinear", F.bilinear, lambda d, m, k, n, b: [[b, m], [b, k], [n, m, k], [n]])


def added(name, fn, shapes):
    @kind(name, variants=2)
    def make(d: Draw) -> Case:
        options = d.turn({}, {"beta": d.number(-2, 2), "alpha": d.number(-2, 2)})
        inputs = [d.normal(shape) for shape in shapes(d, *[d.size(1, 6) for _ in range(4)])]
        return Case(inputs, options, lambda x, a, b: fn(x, a, b, **options), **SUMS)


added("addmm", torch.addmm, lambda d, m, k, n, b: [d.pick([m, n], [n], [1, 1]), [m, k], [k, n]])
added("addmv", torch.addmv, lambda d, m, k, n, b: [d.pick([m], [1]), [m, k], [k]])
added("addr", torch.addr, lambda d, m, k, n, b: [d.pick([m, n], [1, n]), [m], [n]])
added("baddbmm", torch.baddbmm, lambda d, m, k, n, b: [d.pick([b, m, n], [m, n]), [b, m, k], [b, k, n]])
added("addbmm", torch.addbmm, lambda d, m, k, n, b: [[m, n], [b, m, k], [b, k, n]])


@kind("tensordot", variants=2)
def tensordot(d: Draw) -> Case:
    a, b, c, e = [d.size(1, 5) for _ in range(4)]
    if d.turn(True, False):
        return Case([d.normal([a, b, c]), d.normal([b, c, e])], {"dims": 2}, lambda x, y: torch.tensordot(x, y, 2), **SUMS)
    dims = [[0, -1], [1, 0]]
    return Case([d.normal([a, b, c]), d.normal([c, a, e])], {"dims": dims}, lambda x, y: torch.tensordot(x, y, dims), **SUMS)


@kind("cross")
def cross(d: Draw) -> Case:
    shape = d.shape(1, 3, 60)
    dim = d.axis(len(shape))
    shape[dim] = 3
    return Case([d.normal(shape), d.normal(shape)], {"dim": dim}, lambda a, b: torch.linalg.cross(a, b, dim=dim))


@kind("matrixPower", variants=3)
def matrix_power(d: Draw) -> Case:
    size = d.size(1, 5)
    power = d.turn(3, 0, 1)
    shape = [*d.pick([], [2]), size, size]
    return Case([d.normal(shape)], {"power": power}, lambda x: torch.linalg.matrix_power(x, power), 5e-4, 1e-4)


@kind("cov", variants=2)
def cov(d: Draw) -> Case:
    options = d.turn({}, {"correction": 0})
    x = d.normal([d.size(1, 4), d.size(2, 9)])
    return Case([x], options, lambda x: torch.cov(x, **options), **SUMS)


@kind("corrcoef")
def corrcoef(d: Draw) -> Case:
    return Case([d.normal([d.size(2, 4), d.size(3, 9)])], {}, torch.corrcoef, **SUMS)


@kind("cdist", variants=4)
def cdist(d: Draw) -> Case:
    p = d.turn(2.0, 1.0, 3.0, float("inf"))
    batch = d.pick([], [2])
    n, m, k = d.size(1, 6), d.size(1, 6), d.size(1, 5)
    options = {"p": "inf" if p == float("inf") else p}
    return Case([d.normal([*batch, n, k]), d.normal([*batch, m, k])], options, lambda a, b: torch.cdist(a, b, p), **SUMS)


@kind("cosineSimilarity", variants=2)
def cosine_similarity(d: Draw) -> Case:
    shape = d.shape(1, 3)
    dim = d.axis(len(shape))
    options = {"dim": dim, **d.turn({}, {"eps": 1e-3})}
    return Case([d.signed(shape, 0.2, 2), d.signed(shape, 0.2, 2)], options,
                lambda a, b: F.cosine_similarity(a, b, dim, options.get("eps", 1e-8)))


@kind("pairwiseDistance", variants=3)
def pairwise_distance(d: Draw) -> Case:
    options = d.turn({}, {"p": 1.0, "keepDim": True}, {"p": 3.0, "eps": 1e-3})
    shape = [d.size(1, 5), d.size(1, 6)]
    return Case([d.normal(shape), d.normal(shape)], options, lambda a, b: F.pairwise_distance(
        a, b, options.get("p", 2.0), options.get("eps", 1e-6), options.get("keepDim", False)))
