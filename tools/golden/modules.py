"""Modules as cases: their parameters are inputs, named in the options, and have gradients as all inputs."""

from torch.func import functional_call

from case import ATOL, RTOL, Case
from draw import Draw


def module_case(d: Draw, module, inputs, options: dict, run, rtol: float = RTOL, atol: float = ATOL) -> Case:
    """`run` takes the module, then the inputs. The inputs of the case are those, then the parameters in the order of `parameters`."""
    module = module.double().train()
    names = [name for name, _ in module.named_parameters()]
    values = [d.normal(value.shape, 0.4) for value in module.parameters()]

    def of_all(*tensors):
        state = dict(zip(names, tensors[len(inputs):]))
        return functional_call(_Calling(module, run), {f"module.{name}": value for name, value in state.items()}, tensors[: len(inputs)])

    return Case([*inputs, *values], {**options, "parameters": names}, of_all, rtol, atol)


def _Calling(module, run):
    from torch import nn

    class Calling(nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, *inputs):
            return run(self.module, *inputs)

    return Calling()
