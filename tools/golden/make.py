"""Golden values from PyTorch: ops, optimizers and training runs, for tools/conformance.ts.

    python tools/golden/make.py --seed 7 --out /tmp/golden [--each 3] [--small] [--only conv2d,gpt]

needs torch and numpy. Writes ops.json, optim.json and models.json, each with its tensors in a .safetensors beside it:

- ops: `inputs`, `options` and `output`; `gradOutput` is a gradient that arrives at the output, `grads[i]` what leaves at
  input i (null for none). An element passes within atol + rtol * |value|.
- optim: parameters p{i}, before step k the gradients g{k}.{i}, after all steps after{i}.
- models: parameters by PyTorch's names, batches used in turn, and the loss before each step's update.

Everything is computed in float64 and stored as float32; inputs are float32 numbers. The same seed gives the same files.
"""

import argparse
import json
import os
import sys
import warnings

sys.dont_write_bytecode = True

import torch

import arrays, attention, convolutions, edges, elementwise, indexing, losses, norms, pools, products, recurrent, reductions  # noqa: E401, F401
import models
import optimizers
from case import KINDS, Written, write_case
from draw import Draw
from safetensors_file import write_safetensors


def make_ops(seed: int, each: int, small: bool, wanted) -> Written:
    written = Written()
    numbers: dict[str, int] = {}
    for kind in KINDS:
        if not wanted(kind.name):
            continue
        for index in range(kind.variants if small else max(each, kind.variants)):
            draw = Draw(seed, f"{kind.name}/{kind.make.__name__}", index, small)
            number = numbers.get(kind.name, 0)
            numbers[kind.name] = number + 1
            write_case(written, f"{kind.name}-{number}", kind.name, kind.make(draw), draw)
    return written


def save(folder: str, name: str, source: str, written: Written) -> None:
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        lines = ",\n".join(json.dumps(case) for case in written.cases)
        file.write(f'{{"source": {json.dumps(source)}, "cases": [\n{lines}\n]}}\n')
    write_safetensors(os.path.join(folder, f"{name}.safetensors"), written.tensors)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True, help="the folder to write to")
    parser.add_argument("--each", type=int, default=2, help="cases of a kind, where it does not need more")
    parser.add_argument("--small", action="store_true", help="small tensors, and no more cases than a kind needs")
    parser.add_argument("--only", default="", help="kinds, separated by commas")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    wanted = lambda name: not only or name in only  # noqa: E731
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    os.makedirs(options.out, exist_ok=True)
    source = f"PyTorch {torch.__version__}, float64, seed {options.seed}"
    save(options.out, "ops", source, make_ops(options.seed, options.each, options.small, wanted))
    save(options.out, "optim", source, optimizers.make(options.seed, options.small, wanted))
    save(options.out, "models", source, models.make(options.seed, options.small, wanted))


if __name__ == "__main__":
    main()
