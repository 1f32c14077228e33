"""Optimizers: two parameters, drawn gradients, and where the parameters are after all steps."""

import torch

from case import Written
from draw import Draw

NAMES = {"weightDecay": "weight_decay", "lrDecay": "lr_decay", "initialAccumulatorValue": "initial_accumulator_value",
         "momentumDecay": "momentum_decay", "decoupledWeightDecay": "decoupled_weight_decay"}


def sets(d: Draw) -> dict[str, list[dict]]:
    """Options of each optimizer, one run for each set."""
    lr, decay = d.number(0.005, 0.1), d.number(0.005, 0.1)
    betas = [d.number(0.5, 0.95), d.number(0.8, 0.9999)]
    return {
        "SGD": [
            {"lr": lr}, {"lr": lr, "weightDecay": decay}, {"lr": lr, "momentum": 0.9}, {"lr": lr, "maximize": True},
            {"lr": lr, "momentum": d.number(0.1, 0.95), "weightDecay": decay, "nesterov": True},
            {"lr": lr, "momentum": d.number(0.1, 0.95), "dampening": d.number(0, 0.9)},
            {"lr": lr, "momentum": 0.8, "dampening": 0.3, "weightDecay": decay, "maximize": True},
            {"momentum": 0.5},
        ],
        **{name: [
            {}, {"lr": lr, "betas": betas}, {"lr": lr, "weightDecay": decay}, {"lr": lr, "amsgrad": True},
            {"lr": lr, "maximize": True}, {"lr": lr, "eps": 1e-3, "betas": betas, "weightDecay": decay, "amsgrad": True},
            {"lr": lr, "weightDecay": decay, "maximize": True, "amsgrad": True}, {"lr": lr, "weightDecay": 0},
        ] for name in ("Adam", "AdamW")},
        "RMSprop": [
            {}, {"lr": lr, "alpha": d.number(0.5, 0.99)}, {"lr": lr, "centered": True}, {"lr": lr, "momentum": 0.9},
            {"lr": lr, "momentum": d.number(0.1, 0.9), "centered": True, "weightDecay": decay},
            {"lr": lr, "eps": 1e-3, "maximize": True}, {"lr": lr, "weightDecay": decay},
        ],
        "Adagrad": [
            {}, {"lr": lr, "lrDecay": d.number(0.01, 0.3)}, {"lr": lr, "weightDecay": decay},
            {"lr": lr, "initialAccumulatorValue": d.number(0.1, 2)}, {"lr": lr, "eps": 1e-3, "maximize": True},
            {"lr": lr, "lrDecay": 0.1, "weightDecay": decay, "initialAccumulatorValue": 0.5, "maximize": True},
        ],
        # Beyond the first fixtures.
        "Adadelta": [{}, {"lr": 0.5, "rho": 0.7}, {"lr": 1.0, "weightDecay": decay, "eps": 1e-3}, {"maximize": True}],
        "Adamax": [{}, {"lr": lr, "betas": betas}, {"lr": lr, "weightDecay": decay, "maximize": True}],
        "NAdam": [{}, {"lr": lr, "betas": betas, "momentumDecay": 0.01}, {"lr": lr, "weightDecay": decay},
                  {"lr": lr, "weightDecay": decay, "decoupledWeightDecay": True}, {"maximize": True}],
        "RAdam": [{}, {"lr": lr, "betas": [0.8, 0.9]}, {"lr": lr, "weightDecay": decay},
                  {"lr": lr, "weightDecay": decay, "decoupledWeightDecay": True}, {"maximize": True}],
    }


def make(seed: int, small: bool, wanted) -> Written:
    written = Written()
    for name, options in sets(Draw(seed, "optimizers", 0)).items():
        if wanted(name):
            for index, given in enumerate(options):
                _run(written, name, given, Draw(seed, name, index, small))
    return written


def _run(written: Written, name: str, options: dict, d: Draw) -> None:
    steps = 5 if d.small else 12
    identity = f"{name}-{d.index}"
    shapes = [[3, 2], [4]] if d.small else [d.shape(2, 4, 80), [d.size(1, 20)]]
    parameters = [torch.nn.Parameter(d.normal(shape)) for shape in shapes]
    given = {NAMES.get(key, key): tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    optimizer = getattr(torch.optim, name)(parameters, **given)
    names = [f"{identity}/p{i}" for i in range(len(parameters))]
    written.tensors.update({at: p.detach().clone() for at, p in zip(names, parameters)})
    for step in range(steps):
        for i, parameter in enumerate(parameters):
            parameter.grad = d.normal(parameter.shape)
            written.tensors[f"{identity}/g{step}.{i}"] = parameter.grad.clone()
        optimizer.step()
    written.tensors.update({f"{identity}/after{i}": p.detach().clone() for i, p in enumerate(parameters)})
    written.cases.append({"id": identity, "optimizer": name, "options": options, "steps": steps, "params": names})
