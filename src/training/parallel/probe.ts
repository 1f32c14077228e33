/**
 * A device's first examination: small forward and backward passes of what models are made of, with known answers.
 *
 * A driver that computes wrongly is found here before it trains. Inputs are drawn from a fixed seed; the answers are
 * those of the reference device (`probe-answers.ts`), as fingerprints over the result and its gradients. It is about
 * 8 million float operations in some 22 kernels, and one readback: 0.1 s on a processor, once a tab.
 */
import { systemClock, type Clock } from "../../base/clock.ts";
import { Random } from "../../base/random.ts";
import { withDeadline } from "../../base/wait.ts";
import type { Device } from "../../compute/device/device.ts";
import { createRuntime } from "../../compute/runtime/graph-runtime.ts";
import { grad } from "../../compute/tensor/autograd.ts";
import { tensor } from "../../compute/tensor/create.ts";
import { crossEntropy } from "../../compute/tensor/ops/cross-entropy.ts";
import { embedding } from "../../compute/tensor/ops/gather.ts";
import { gelu } from "../../compute/tensor/ops/gelu.ts";
import { layerNorm } from "../../compute/tensor/ops/layer-norm.ts";
import { scaledDotProductAttention } from "../../compute/tensor/ops/scaled-dot-product-attention.ts";
import { readAll } from "../../compute/tensor/realize.ts";
import { withRuntime } from "../../compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { adamwUpdate, biasCorrections } from "../../model/optim/rules/adam-rule.ts";
import type { Fingerprint } from "../../network/wire/messages.ts";
import { isNear } from "../coordinator/audit-claims.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { PROBE_ANSWERS } from "./probe-answers.ts";

/** With compiling, which takes a GPU in software long. */
const PROBE_MS_MAX = 60_000;
/**
 * Of the answer's norm. The longest sums have 130 terms; each addition rounds to 2^-24, and what follows (exp, a quotient
 * by a deviation) may be off by some ten units in the last place: 130 x 6 x 10^-8 + 10^-6, and ten times as much to be safe.
 */
const RELATIVE_MAX = 1e-4;

const SEED = 20_240;

/** Draws inputs, standard normal ones unless told. */
class Inputs {
  readonly #random: Random;
  readonly leaves: Tensor[] = [];

  constructor(name: string) {
    this.#random = new Random(SEED, "probe", name);
  }

  normal(...shape: number[]): Tensor {
    const leaf = tensor({ shape, data: this.#floats(shape) }, { requiresGrad: true });
    this.leaves.push(leaf);
    return leaf;
  }

  /** No gradient flows into it. */
  fixed(...shape: number[]): Tensor {
    return tensor({ shape, data: this.#floats(shape) });
  }

  below(bound: number, ...shape: number[]): Tensor {
    const count = shape.reduce((product, size) => product * size, 1);
    return tensor({ shape, data: Int32Array.from({ length: count }, () => this.#random.below(bound)) });
  }

  #floats(shape: readonly number[]): Float32Array<ArrayBuffer> {
    const count = shape.reduce((product, size) => product * size, 1);
    return Float32Array.from({ length: count }, () => this.#random.normal());
  }
}

/** Sizes that divide by no tile. */
const OPERATIONS: Readonly<Record<string, (inputs: Inputs) => Tensor>> = {
  matmul: (inputs) => inputs.normal(65, 97).matmul(inputs.normal(97, 81)),
  softmax: (inputs) => inputs.normal(33, 130).softmax(-1),
  layerNorm: (inputs) => layerNorm(inputs.normal(33, 130), 130, inputs.normal(130), inputs.normal(130)),
  gelu: (inputs) => gelu(inputs.normal(33, 130)),
  "embedding and its scatter": (inputs) => embedding(inputs.below(24, 90), inputs.normal(24, 33)),
  reduce: (inputs) => {
    const x = inputs.normal(70, 129);
    return x.mean(0).add(x.square().sum(0).sqrt());
  },
  attention: (inputs) =>
    scaledDotProductAttention(inputs.normal(1, 2, 65, 17), inputs.normal(1, 2, 65, 17), inputs.normal(1, 2, 65, 17), {
      isCausal: true,
    }),
  crossEntropy: (inputs) => crossEntropy(inputs.normal(40, 67), inputs.below(67, 40), { axis: -1, reduction: "none" }),
};

type Answers = Readonly<Record<string, Fingerprint | null>>;

/** What is wrong with `device`, in a sentence that names the operation; null where it computes as it should. */
export async function probeDevice(device: Device, clock: Clock = systemClock): Promise<string | null> {
  const found = await withDeadline("probe", answersOf(device, clock), clock, { deadlineMs: PROBE_MS_MAX });
  for (const [name, expected] of Object.entries(PROBE_ANSWERS)) {
    const answer = found[name] ?? null;
    if (isNear(expected, answer, RELATIVE_MAX)) continue;
    return `${name}: expected ${words(expected)}, found ${answer ? words(answer) : "what is not finite"}`;
  }
  return null;
}

/** What `device` makes of each operation. */
export async function answersOf(device: Device, clock: Clock = systemClock): Promise<Answers> {
  const runtime = createRuntime(device, { clock });
  try {
    const parts = withRuntime(runtime, () => [...Object.entries(OPERATIONS).map(passes), ["adamw", adamw()] as const]);
    const values = await readAll(parts.flatMap(([, results]) => results));
    const found: Record<string, Fingerprint | null> = {};
    let at = 0;
    for (const [number, [name, results]] of parts.entries()) {
      const own = values.slice(at, at + results.length).map((list) => list as Float32Array<ArrayBuffer>);
      at += results.length;
      found[name] = fingerprintOf(0, joined(own), 0, number);
    }
    return found;
  } finally {
    runtime.destroy();
  }
}

/** The result, and the gradients of its product with fixed numbers. */
function passes([name, run]: readonly [string, (inputs: Inputs) => Tensor]): readonly [string, Tensor[]] {
  const inputs = new Inputs(name);
  const result = run(inputs);
  const loss = result.mul(inputs.fixed(...result.shape)).sum();
  return [name, [result, ...grad(loss, inputs.leaves)]];
}

function adamw(): Tensor[] {
  const inputs = new Inputs("adamw");
  const [parameter, gradient, expAvg] = [inputs.fixed(1_001), inputs.fixed(1_001), inputs.fixed(1_001)];
  const expAvgSq = inputs.fixed(1_001).square();
  const corrections = tensor(Float32Array.from(biasCorrections(3, [0.9, 0.99])));
  const lr = tensor(Float32Array.of(0.01));
  const next = adamwUpdate({ parameter, gradient, expAvg, expAvgSq, lr, corrections }, { weightDecay: 0.1 });
  return [next.parameter, next.expAvg, next.expAvgSq];
}

function joined(lists: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  return all;
}

/** For people: the norm tells most mistakes, and the first sum the others. */
function words({ norm, sketch }: Fingerprint): string {
  return `a norm of ${norm.toPrecision(6)} and a sum of ${(sketch[0] ?? 0).toPrecision(6)}`;
}
