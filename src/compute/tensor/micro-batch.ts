/**
 * Smaller micro-batches with the same result. The gradients of each part of a batch are computed right after its loss,
 * and what they needed is free before the next part begins: with n parts, activations take 1/n of the memory.
 */
import { present } from "../../base/assert.ts";
import { OptionError, ShapeError, UnsupportedError } from "../../base/errors.ts";
import { barrier } from "../compiler/graph.ts";
import type { Node } from "../compiler/ir.ts";
import { formatShape } from "../layout/shape.ts";
import { gradientsSince } from "./autograd.ts";
import { isGradEnabled, noGrad } from "./grad-mode.ts";
import { observe } from "./observe.ts";
import { defineOp } from "./op.ts";
import { stored } from "./ops/barrier.ts";
import { castTo } from "./ops/cast.ts";
import { narrow } from "./ops/slice.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace, readNode } from "./trace.ts";
import { createValue, frozenTensorOf, Origin, tensorOf, valuesMade } from "./value.ts";
import type { Value } from "./value.ts";

/** Options of `microBatched`. */
export interface MicroBatchOptions {
  /**
   * How many parts, at most one for each sample. When it is left out: 1, and in a compiled function as many as it takes
   * to fit the device's memory.
   */
  readonly parts?: number;
}

/** Samples of a batch that follow one another. */
interface Part {
  readonly start: number;
  readonly size: number;
  /** Its share of the batch. */
  readonly weight: number;
}

/**
 * The mean of `fn` over a batch, part by part. `inputs` have the batch on axis 0; `fn` gives the mean loss of the part
 * that it is called with, where samples must not influence each other (as they do in a batch norm that trains).
 *
 * loss = sum over parts of size / batch * fn(part), and so its gradients, for all that `fn` reads; they are summed in
 * float32. Results differ from those of one part by rounding, and random draws (dropout) are other ones, as each part
 * has its own. More than one part costs gradients even where nobody asks for them, and allows no second derivatives.
 * @throws ShapeError for inputs of different batches, or a loss of more than one element
 * @throws OptionError for parts that are no whole number from 1
 */
export function microBatched<Names extends string>(
  inputs: Readonly<Record<Names, Tensor>>,
  fn: (part: Readonly<Record<Names, Tensor>>) => Tensor,
  options: MicroBatchOptions = {},
): Tensor {
  const batch = batchOf(Object.entries<Tensor>(inputs));
  const parts = cut(batch, partCount(batch, options.parts));
  if (parts.length === 1) return checkedLoss(fn(inputs));
  const sums = new Sums();
  let after: Node | null = null;
  for (const part of parts) {
    const since = valuesMade();
    const entries = Object.entries<Tensor>(inputs).map(([name, x]) => [name, partOf(x, part, after)] as const);
    const loss = checkedLoss(fn(Object.fromEntries(entries) as Record<Names, Tensor>));
    after = sums.add(loss, part.weight, since);
  }
  return sums.result();
}

/** The running sums of a loss and of its gradients. */
class Sums {
  #loss: Tensor | null = null;
  readonly #gradients = new Map<Value, Tensor>();

  /** Adds a part's, made of what there was before `since` values; gives what is there when all of it has been computed. */
  add(loss: Tensor, weight: number, since: number): Node {
    const gradients = isGradEnabled() && loss.requiresGrad ? gradientsSince(since, "microBatched", loss) : [];
    return noGrad(() => {
      this.#loss = plus(this.#loss, loss, weight);
      let done = readNode(this.#loss);
      for (const [value, gradient] of gradients) {
        const sum = plus(this.#gradients.get(value), castTo(gradient, "float32"), weight);
        this.#gradients.set(value, sum);
        done = barrier(done, readNode(sum));
      }
      return done;
    });
  }

  /** The loss, whose gradients are known already. */
  result(): Tensor {
    const loss = present(this.#loss, "microBatched: a part's loss");
    const sources = [...this.#gradients.keys()];
    if (sources.length === 0) return loss;
    const sums = [...this.#gradients.values()].map((sum) => sum.value);
    const origin = new Origin("microBatched", sources, (gradient) => {
      if (isGradEnabled()) {
        throw new UnsupportedError(
          "microBatched: expected a loss that is differentiated once, found createGraph; use { parts: 1 }",
        );
      }
      const factor = gradient.reshape([]);
      return sums.map((sum, i) => castTo(frozenTensorOf(sum).mul(factor), sources[i]?.node.dtype ?? "float32"));
    });
    const { runtime } = loss.value;
    const value = createValue(readNode(loss), { runtime, trace: currentTrace(), requiresGrad: true, origin });
    observe("microBatched", value, sources);
    return tensorOf(value);
  }
}

/** sum + weight * x in memory, so that no kernel of a later part does it and x is free. */
function plus(sum: Tensor | null | undefined, x: Tensor, weight: number): Tensor {
  const weighted = x.mul(weight);
  return stored(sum ? sum.add(weighted) : weighted);
}

/** Not computed before `after`, and stored: the kernels of all parts are alike. */
const inTurn = defineOp<[Tensor], { after: Node | null }>({
  name: "microBatch",
  forward([x], { after }) {
    const held = after === null ? x : barrier(x, after);
    return barrier(held, held);
  },
  backward: ({ grad }) => [grad],
});

function partOf(x: Tensor, { start, size }: Part, after: Node | null): Tensor {
  return inTurn([narrow(x, 0, start, size)], { after });
}

/** Sizes differ by one at most, the larger ones first. */
function cut(batch: number, count: number): Part[] {
  const [small, larger] = [Math.floor(batch / count), batch % count];
  return Array.from({ length: count }, (_, i) => {
    const size = small + (i < larger ? 1 : 0);
    return { start: i * small + Math.min(i, larger), size, weight: size / batch };
  });
}

function partCount(batch: number, parts: number | undefined): number {
  if (parts !== undefined && !(Number.isSafeInteger(parts) && parts >= 1)) {
    throw new OptionError(`microBatched: expected parts to be a whole number from 1, found ${parts}`);
  }
  const trace = currentTrace();
  if (parts === undefined) trace?.noteBatch(batch);
  return Math.min(parts ?? trace?.microBatches ?? 1, Math.max(1, batch));
}

function batchOf(inputs: readonly (readonly [name: string, input: Tensor])[]): number {
  let batch: number | null = null;
  for (const [name, { shape }] of inputs) {
    const [size] = shape;
    if (size === undefined || size !== (batch ?? size)) {
      throw new ShapeError(
        `microBatched: expected inputs with ${batch ?? "all"} samples on axis 0, found ${name} of the shape ${formatShape(shape)}`,
      );
    }
    batch = size;
  }
  if (batch === null) throw new OptionError("microBatched: expected inputs, found none");
  return batch;
}

function checkedLoss(loss: Tensor): Tensor {
  if (loss.size === 1) return loss;
  throw new ShapeError(`microBatched: expected a mean loss of one element, found the shape ${formatShape(loss.shape)}`);
}
