import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { ones, zeros } from "../../compute/tensor/create.ts";
import type { Shape } from "../../compute/compiler/ir.ts";
import { embedding } from "../../compute/tensor/ops/gather.ts";
import { where } from "../../compute/tensor/ops/where.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { checkedPadding, tableValues } from "./embedding.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

const LOWEST = -3.4e38; // Next to the lowest float32: what does not count is never the largest.

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagOptions {
  /** "mean" by default. */
  readonly mode?: "sum" | "mean" | "max";
  /** The row that counts for nothing, neither in sums and means nor in maxima. */
  readonly paddingIdx?: number | null;
}

/**
 * Sums, means or maxima of rows of `weight` [count, width] over bags of indices: [B, N], or [N] cut into B bags that
 * start at `offsets` [B] (ascending, the first 0). -> [B, width]; zeros for empty bags.
 */
export class EmbeddingBag extends Module {
  weight: Parameter;
  readonly mode: "sum" | "mean" | "max";
  readonly paddingIdx: number | null;

  /** @throws OptionError */
  constructor(count: number, width: number, { mode = "mean", paddingIdx = null }: EmbeddingBagOptions = {}) {
    super();
    if (mode !== "sum" && mode !== "mean" && mode !== "max") {
      throw new OptionError(`EmbeddingBag: expected the mode "sum", "mean" or "max", found ${String(mode)}`);
    }
    this.mode = mode;
    this.paddingIdx = checkedPadding("EmbeddingBag", paddingIdx, count);
    this.weight = new Parameter(tableValues([count, width], this.paddingIdx));
  }

  /** `perSampleWeights`, of the shape of `indices`, scale the rows of sums. @throws ShapeError, OptionError */
  forward(indices: Tensor, offsets: Tensor | null = null, perSampleWeights: Tensor | null = null): Tensor {
    const { mode, paddingIdx } = this;
    if (perSampleWeights !== null && mode !== "sum") {
      throw new OptionError(`EmbeddingBag: expected the mode "sum" with perSampleWeights, found "${mode}"`);
    }
    const counts = paddingIdx === null ? ones(indices.shape) : indices.ne(paddingIdx).cast("float32");
    const { sum, largest } = bagging(indices, offsets);
    const looked = embedding(indices, this.weight);
    if (mode === "max") {
      const most = largest(where(counts.unsqueeze(-1).gt(0), looked, LOWEST));
      return where(sum(counts.unsqueeze(-1)).gt(0), most, 0);
    }
    const weights = perSampleWeights === null ? counts : counts.mul(perSampleWeights);
    const rows = looked.mul(weights.unsqueeze(-1));
    return mode === "sum" ? sum(rows) : sum(rows).div(sum(counts.unsqueeze(-1)).maximum(1));
  }
}

/** What becomes of the rows [.., C] of each bag: -> [B, C]. Empty bags have the sum 0; no rows have no largest one. */
interface Bagging {
  readonly sum: (rows: Tensor) => Tensor;
  readonly largest: (rows: Tensor) => Tensor;
}

function bagging({ shape }: Tensor, offsets: Tensor | null): Bagging {
  if (shape.length === 2 && offsets === null) return { sum: (rows) => rows.sum(1), largest: (rows) => rows.max(1) };
  if (shape.length !== 1 || offsets?.shape.length !== 1) {
    throw new ShapeError(
      `EmbeddingBag: expected indices [B, N], or [N] with offsets [B], found ${formatShape(shape)} and ${offsets ? formatShape(offsets.shape) : "none"}`,
    );
  }
  const [count = 0] = shape;
  const [bags = 0] = offsets.shape;
  // The bag of a place is the number of bags that have started by then, less one; bags may start at the end, too.
  const starts = zeros([count + 1]).scatterAdd(0, offsets.cast("int32"), ones([bags]));
  const bagOf = starts.narrow(0, 0, count).cumsum(0).sub(1).cast("int32").unsqueeze(1);
  const placesOf = ([, width = 0]: Shape): Tensor => bagOf.expand([count, width]);
  const emptyOf = ([, width = 0]: Shape): Tensor => zeros([bags, width]);
  return {
    sum: (rows) => emptyOf(rows.shape).scatterAdd(0, placesOf(rows.shape), rows),
    largest: (rows) => emptyOf(rows.shape).scatterReduce(0, placesOf(rows.shape), rows, "amax", { includeSelf: false }),
  };
}
