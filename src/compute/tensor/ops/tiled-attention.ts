/**
 * Attention whose scores never exist as a whole: tiles of queries and keys, with a running softmax (Milakov and
 * Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 */
import { present } from "../../../base/assert.ts";
import { withGradMode } from "../grad-mode.ts";
import { defineOp, sourceTensor } from "../op.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { type AttentionOperands, MASKED } from "./attention-operands.ts";
import { after, dropWeights, maskScores, rowsOf, spansOf, tileOf, transposedTile } from "./attention-tile.ts";
import type { AttentionInputs, AttentionTile, Span } from "./attention-tile.ts";
import { cat } from "./cat.ts";
import { batchedMatmul } from "./matmul.ts";
import { where } from "./where.ts";

export interface TiledAttention {
  readonly scale: number;
  readonly causal: boolean;
  /** The share of weights that is dropped. */
  readonly dropoutP: number;
  /** Queries, and keys, of a tile: [B, G, tileSize, tileSize] scores are alive, a few times. */
  readonly tileSize: number;
}

interface Settings extends TiledAttention {
  readonly hasMask: boolean;
}

/** The logarithm of the sum is below it for a query that sees no key. */
const UNSEEN = MASKED / 2;

/**
 * q [B, G, T, D], k [B, S, D], v [B, S, E] (and a mask, and a key) -> [B, G, T, E + 1]: the result o, and as a last
 * column the logarithm of the sum of e^score, with which the gradient computes the weights again tile by tile.
 *
 * With p = e^(score - that), dO what arrives at o and dl at the last column: ds = p * (dO v^T + dl - sum(dO * o)),
 * dq = scale ds k, dk = scale ds^T q, dv = p^T dO.
 */
const op = defineOp<readonly Tensor[], Settings>({
  name: "scaledDotProductAttention",
  forward: (nodes, settings) => {
    const inputs = nodes.map((node) => sourceTensor(node));
    return withGradMode(false, () => attend(inputsOf(inputs, settings), settings)).value.node;
  },
  backward: ({ grad, inputs, output, options }) => {
    const { q, k, v, mask } = attendBackward(inputsOf(inputs, options), grad, output, options);
    return [q, k, v, ...(options.hasMask ? [mask] : []), null].slice(0, inputs.length);
  },
});

/** softmax(scale q k^T + mask) v, with dropout if there is a key: [B, G, T, E]. There are keys and queries. */
export function tiledAttention(operands: AttentionOperands, key: Tensor | null, settings: TiledAttention): Tensor {
  const { q, k, v, mask } = operands;
  const inputs = [q, k, v, mask, key].filter((x) => x !== null);
  return op(inputs, { ...settings, hasMask: mask !== null }).narrow(3, 0, sizeOf(v.shape, 2));
}

function inputsOf(list: readonly Tensor[], { hasMask }: Settings): AttentionInputs {
  const [q, k, v, ...more] = list as [Tensor, Tensor, Tensor, ...Tensor[]];
  return { q, k, v, mask: hasMask ? (more[0] ?? null) : null, key: more[hasMask ? 1 : 0] ?? null };
}

/** True when no query may see any of the keys. */
function isAhead(rows: Span, columns: Span, { causal }: Settings): boolean {
  return causal && columns.start >= rows.start + rows.length;
}

/** What a block of queries has found so far. */
interface Running {
  /** [B, G, rows, E], normalised. */
  readonly result: Tensor;
  /** [B, G, rows, 1] */
  readonly logSum: Tensor;
}

function attend(inputs: AttentionInputs, settings: Settings): Tensor {
  const { q, k } = inputs;
  const blocks = spansOf(sizeOf(q.shape, 2), settings.tileSize).map((rows) => {
    let running: Running | null = null;
    for (const columns of spansOf(sizeOf(k.shape, 1), settings.tileSize)) {
      if (!isAhead(rows, columns, settings)) running = attendTile(tileOf(inputs, rows, columns), settings, running);
    }
    const { result, logSum } = present<Running>(running, "scaledDotProductAttention: a tile");
    return cat([where(logSum.gt(UNSEEN), result, 0), logSum], 3);
  });
  return cat(blocks, 2);
}

/**
 * One tile more. What was found before is like one more key, with `logSum` for its score and `result` for its value: it
 * gets a column of its own beside the tile's weights, so that its weight is stored with theirs.
 */
function attendTile(tile: AttentionTile, { scale, causal, dropoutP }: Settings, before: Running | null): Running {
  const [batch = 0, group = 0, rows = 0, columns = 0] = tile.shape;
  const product = batchedMatmul(tile.q, tile.k.transpose(1, 2)).mul(scale).reshape(tile.shape);
  const scores = maskScores(product, tile, causal, false);
  const highest = scores.max(3, { keepDim: true });
  const max = before === null ? highest : highest.maximum(before.logSum);
  const sum = scores.sub(max).exp().sum(3, { keepDim: true });
  const logSum = max.add((before === null ? sum : sum.add(before.logSum.sub(max).exp())).log());
  const weights = (before === null ? scores : cat([scores, before.logSum], 3)).sub(logSum).exp();
  const kept = dropWeights(weights.narrow(3, 0, columns), tile, dropoutP, false);
  const part = batchedMatmul(kept.reshape([batch, group * rows, columns]), tile.v);
  const result = part.reshape([batch, group, rows, sizeOf(tile.v.shape, 2)]);
  if (before === null) return { result, logSum };
  return { result: result.add(stored(before.result).mul(weights.narrow(3, columns, 1))), logSum };
}

/** Sums of gradients by block of queries or keys. */
class Sums {
  readonly #blocks = new Map<number, Tensor>();

  /** @returns the new sum of the block */
  add({ start }: Span, part: Tensor): Tensor {
    const before = this.#blocks.get(start);
    const sum = before === undefined ? part : stored(before).add(part);
    this.#blocks.set(start, sum);
    return sum;
  }

  /** All blocks along `axis`; zeros of `shape` for those that got nothing. */
  join(spans: readonly Span[], axis: number, shape: readonly number[]): Tensor {
    const zeros = (length: number): Tensor =>
      filled(
        shape.map((size, i) => (i === axis ? length : size)),
        0,
      );
    return cat(
      spans.map(({ start, length }) => this.#blocks.get(start) ?? zeros(length)),
      axis,
    );
  }
}

/** Ends the kernel that computes `x`; else it would go on to all sums that follow, and need all parts of them at once. */
function stored(x: Tensor): Tensor {
  return after(x, x);
}

/** What the tiles of the gradient share. */
interface Arriving {
  /** [B, G, T, E] */
  readonly grad: Tensor;
  /** [B, G, T, 1]: so high for queries without keys that no weight is left. */
  readonly logSum: Tensor;
  /** [B, G, T, 1]: dl - sum(dO * o). */
  readonly shift: Tensor;
}

function attendBackward(
  inputs: AttentionInputs,
  grad: Tensor,
  output: Tensor,
  settings: Settings,
): { q: Tensor; k: Tensor; v: Tensor; mask: Tensor | null } {
  const { q, k, v, mask, key } = inputs;
  const width = sizeOf(v.shape, 2);
  const logSum = output.narrow(3, width, 1);
  const dot = grad
    .narrow(3, 0, width)
    .mul(output.narrow(3, 0, width))
    .sum(3, { keepDim: true });
  const arriving = {
    grad: grad.narrow(3, 0, width),
    logSum: where(logSum.gt(UNSEEN), logSum, -MASKED),
    shift: grad.narrow(3, width, 1).sub(dot),
  };
  const rows = spansOf(sizeOf(q.shape, 2), settings.tileSize);
  const columns = spansOf(sizeOf(k.shape, 1), settings.tileSize);
  const sums = { q: new Sums(), k: new Sums(), v: new Sums() };
  let maskGrad: Tensor | null = null;
  // What is computed again is told from what the forward pass computed, and each tile waits for the one before it.
  let waiting = { ...inputs, q: after(q, grad), k: after(k, grad), v: after(v, grad), key: key && after(key, grad) };
  for (const span of columns) {
    for (const row of rows) {
      if (isAhead(row, span, settings)) continue;
      const tile = tileOf(waiting, row, span);
      const parts = tileBackward(tile, arriving, settings);
      const [qSum, kSum, vSum] = [sums.q.add(row, parts.q), sums.k.add(span, parts.k), sums.v.add(span, parts.v)];
      waiting = { ...waiting, q: after(q, qSum), k: after(k, kSum), v: after(v, vSum) };
      if (mask === null || !mask.requiresGrad) continue;
      const part = placed(parts.scores, tile, mask);
      maskGrad = maskGrad === null ? part : maskGrad.add(part);
    }
  }
  return {
    q: sums.q.join(rows, 2, q.shape),
    k: sums.k.join(columns, 1, k.shape),
    v: sums.v.join(columns, 1, v.shape),
    mask: maskGrad,
  };
}

/** Gradients from one tile: q [B, G, rows, D], k [B, columns, D], v [B, columns, E], scores [B, columns, G, rows]. */
function tileBackward(
  tile: AttentionTile,
  { grad, logSum, shift }: Arriving,
  { scale, causal, dropoutP }: Settings,
): { q: Tensor; k: Tensor; v: Tensor; scores: Tensor } {
  const { rows, shape } = tile;
  const [batch = 0, group = 0, count = 0, columns = 0] = shape;
  const form = [batch, columns, group, count];
  const flat = [batch, columns, group * count];
  const alongKeys = (x: Tensor): Tensor => transposedTile(x.narrow(2, rows.start, rows.length));
  const product = batchedMatmul(tile.k, tile.q.transpose(1, 2)).mul(scale).reshape(form);
  const weights = maskScores(product, tile, causal, true).sub(alongKeys(logSum)).exp();
  const kept = dropWeights(weights, tile, dropoutP, true);
  const gradRows = rowsOf(grad, rows);
  const weightGrad = batchedMatmul(tile.v, gradRows.transpose(1, 2)).reshape(form);
  const drift = alongKeys(shift);
  const scores = tile.key === null ? weights.mul(weightGrad.add(drift)) : kept.mul(weightGrad).add(weights.mul(drift));
  const scoreRows = scores.reshape(flat);
  return {
    q: batchedMatmul(scoreRows.transpose(1, 2), tile.k).mul(scale).reshape([batch, group, count, -1]),
    k: batchedMatmul(scoreRows, tile.q).mul(scale),
    v: batchedMatmul(kept.reshape(flat), gradRows),
    scores,
  };
}

/** What a tile's scores give to the mask: summed where it repeats, 0 elsewhere. */
function placed(scores: Tensor, { rows, columns }: AttentionTile, mask: Tensor): Tensor {
  const tile = scores.permute([0, 2, 3, 1]);
  const repeated = mask.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const part = repeated.length === 0 ? tile : tile.sum(repeated, { keepDim: true });
  const around = ({ start, length }: Span, axis: number): number[] =>
    mask.shape[axis] === 1 ? [0, 0] : [start, sizeOf(mask.shape, axis) - start - length];
  return part.pad([...around(columns, 3), ...around(rows, 2)]);
}
