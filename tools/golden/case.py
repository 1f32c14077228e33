"""The list of kinds of cases, and how one becomes golden values: outputs and gradients in float64, stored as float32."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from draw import Draw

RTOL, ATOL = 2e-4, 2e-5


@dataclass
class Case:
    """`run` takes the inputs, rounded to float32, as float64 (with gradients) and int64, and gives one tensor."""

    inputs: list[torch.Tensor]
    options: dict
    run: Callable[..., torch.Tensor]
    rtol: float = RTOL
    atol: float = ATOL


@dataclass
class Kind:
    name: str
    make: Callable[[Draw], Case]
    variants: int = 1
    """How many cases it takes to see all that it tells apart by its index."""


KINDS: list[Kind] = []


def kind(name: str, variants: int = 1):
    """Registers what makes a case of that kind from draws."""

    def register(make):
        KINDS.append(Kind(name, make, variants))
        return make

    return register


@dataclass
class Written:
    """Cases as JSON, and their tensors by name."""

    cases: list[dict] = field(default_factory=list)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)


def write_case(written: Written, identity: str, op: str, case: Case, draw: Draw) -> None:
    inputs = [value.float().double() if value.is_floating_point() else value for value in case.inputs]
    leaves = [value.clone().requires_grad_(value.is_floating_point()) for value in inputs]
    output = case.run(*leaves)
    names = [f"{identity}/in{i}" for i in range(len(leaves))]
    entry = {
        "id": identity,
        "op": op,
        "options": case.options,
        "inputs": [
            {"name": name, "dtype": "float32" if leaf.is_floating_point() else "int32"}
            for name, leaf in zip(names, leaves)
        ],
        "output": f"{identity}/out",
        "rtol": case.rtol,
        "atol": case.atol,
    }
    written.tensors.update(zip(names, inputs))
    written.tensors[entry["output"]] = output.detach()
    if output.requires_grad:
        entry.update(_gradients(written, identity, leaves, output, draw))
    written.cases.append(entry)


def _gradients(written: Written, identity: str, leaves, output, draw: Draw) -> dict:
    seed = draw.normal(output.shape)
    floats = [leaf for leaf in leaves if leaf.requires_grad]
    found = iter(torch.autograd.grad(output, floats, seed, allow_unused=True))
    names = []
    for i, leaf in enumerate(leaves):
        gradient = next(found) if leaf.requires_grad else None
        names.append(None if gradient is None else f"{identity}/grad{i}")
        if gradient is not None:
            written.tensors[f"{identity}/grad{i}"] = gradient
    written.tensors[f"{identity}/gradOut"] = seed
    return {"gradOutput": f"{identity}/gradOut", "grads": names}
