import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { ones, zeros } from "../../compute/tensor/create.ts";
import { embedding } from "../../compute/tensor/ops/gather.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { checkedPadding, tableValues } from "./embedding.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagOptions {
  /** "mean" by default. */
  readonly mode?: "sum" | "mean";
  /** The row that counts for nothing, neither in sums nor in means. */
  readonly paddingIdx?: number | null;
}

/**
 * Sums or means of rows of `weight` [count, width] over bags of indices: [B, N], or [N] cut into B bags that start at
 * `offsets` [B] (ascending, the first 0). -> [B, width]; zeros for empty bags.
 */
export class EmbeddingBag extends Module {
  weight: Parameter;
  readonly mode: "sum" | "mean";
  readonly paddingIdx: number | null;

  /** @throws OptionError */
  constructor(count: number, width: number, { mode = "mean", paddingIdx = null }: EmbeddingBagOptions = {}) {
    super();
    if (mode !== "sum" && mode !== "mean") {
      throw new OptionError(`EmbeddingBag: expected the mode "sum" or "mean", found ${String(mode)}`);
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
    const weights = perSampleWeights === null ? counts : counts.mul(perSampleWeights);
    const rows = embedding(indices, this.weight).mul(weights.unsqueeze(-1));
    const sum = bagging(indices, offsets);
    return mode === "sum" ? sum(rows) : sum(rows).div(sum(counts.unsqueeze(-1)).maximum(1));
  }
}

/** Adds up the rows [.., C] of each bag: -> [B, C]. */
function bagging({ shape }: Tensor, offsets: Tensor | null): (rows: Tensor) => Tensor {
  if (shape.length === 2 && offsets === null) return (rows) => rows.sum(1);
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
  return (rows) => {
    const [, width = 0] = rows.shape;
    return zeros([bags, width]).scatterAdd(0, bagOf.expand([count, width]), rows);
  };
}
