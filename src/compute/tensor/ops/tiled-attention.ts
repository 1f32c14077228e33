/**
 * Attention whose scores never exist as a whole: tiles of queries and keys, with a running softmax (Milakov and
 * Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 */
import { present } from "../../../base/assert.ts";
import type { Shape } from "../../compiler/ir.ts";
import { withGradMode } from "../grad-mode.ts";
import { defineOp, sourceTensor } from "../op.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { type AttentionOperands, MASKED } from "./attention-operands.ts";
import { dropWeights, keyBlocks, maskScores, partOf, queryBlocks, rowsOf, tileOf, transposedTile } from "./attention-tile.ts"; // prettier-ignore
import type { AttentionInputs, AttentionTile, KeyBlock, QueryBlock, Span } from "./attention-tile.ts";
import { after, stored } from "./barrier.ts";
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
function isAhead({ rows }: QueryBlock, { columns }: KeyBlock, { causal }: Settings): boolean {
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
  const keys = keyBlocks(inputs, settings.tileSize);
  let last: readonly Tensor[] = [];
  const blocks = queryBlocks(inputs, settings.tileSize).map((queries) => {
    let running: Running | null = null;
    for (const block of keys) {
      if (isAhead(queries, block, settings)) continue;
      running = attendTile(tileOf(inputs, queries, block, last), settings, running);
      last = [running.result];
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
  readonly #blocks = new Map<Span, Tensor>();

  /** @returns the new sum of the block */
  add(block: Span, part: Tensor): Tensor {
    const before = this.#blocks.get(block);
    // Stored: a kernel that goes on to all sums to come would need all their parts at once.
    const sum = before === undefined ? part : stored(before).add(part);
    this.#blocks.set(block, sum);
    return sum;
  }

  /** All `blocks` along `axis` of `shape`: zeros where nothing was added. */
  join(blocks: readonly Span[], axis: number, shape: Shape): Tensor {
    const zeros = (length: number): Tensor => filled(shape.map((size, i) => (i === axis ? length : size)), 0); // prettier-ignore
    return cat(blocks.map((block) => this.#blocks.get(block) ?? zeros(block.length)), axis); // prettier-ignore
  }
}

/** What arrives at a block of queries. */
interface Arriving extends QueryBlock {
  /** [B, G * rows, E] */
  readonly grad: Tensor;
  /** [B, 1, G, rows]: so high for queries without keys that no weight is left. */
  readonly logSum: Tensor;
  /** [B, 1, G, rows]: dl - sum(dO * o). */
  readonly shift: Tensor;
}

function arrivingAt(inputs: AttentionInputs, grad: Tensor, output: Tensor, { tileSize }: Settings): Arriving[] {
  const width = sizeOf(inputs.v.shape, 2);
  const logSum = output.narrow(3, width, 1);
  const safe = where(logSum.gt(UNSEEN), logSum, -MASKED);
  const [arriving, result] = [grad, output].map((x) => x.narrow(3, 0, width)) as [Tensor, Tensor];
  const shift = grad.narrow(3, width, 1).sub(arriving.mul(result).sum(3, { keepDim: true }));
  return queryBlocks({ ...inputs, q: after(inputs.q, grad) }, tileSize).map(({ rows, q }) => {
    const alongKeys = (x: Tensor): Tensor => stored(transposedTile(partOf(x, 2, rows)));
    return { rows, q, grad: rowsOf(arriving, rows), logSum: alongKeys(safe), shift: alongKeys(shift) };
  });
}

function attendBackward(
  inputs: AttentionInputs,
  grad: Tensor,
  output: Tensor,
  settings: Settings,
): { q: Tensor; k: Tensor; v: Tensor; mask: Tensor | null } {
  const { q, k, v, mask, key } = inputs;
  // What is computed again is told from what the forward pass computed.
  const again = { ...inputs, k: after(k, grad), v: after(v, grad), key: key && after(key, grad) };
  const queries = arrivingAt(inputs, grad, output, settings);
  const keys = keyBlocks(again, settings.tileSize);
  const sums = { q: new Sums(), k: new Sums(), v: new Sums() };
  let maskGrad: Tensor | null = null;
  let last: readonly Tensor[] = [];
  for (const block of keys) {
    for (const query of queries) {
      if (isAhead(query, block, settings)) continue;
      const tile = tileOf(again, query, block, last);
      const parts = tileBackward(tile, query, settings);
      last = [sums.q.add(query.rows, parts.q), sums.k.add(block.columns, parts.k), sums.v.add(block.columns, parts.v)];
      if (mask === null || !mask.requiresGrad) continue;
      const part = placed(parts.scores, tile, mask);
      maskGrad = maskGrad === null ? part : stored(maskGrad).add(part);
    }
  }
  const columns = keys.map((block) => block.columns);
  return {
    q: sums.q.join(queries.map(({ rows }) => rows), 2, q.shape), // prettier-ignore
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
  const [batch = 0, group = 0, count = 0, columns = 0] = tile.shape;
  const form = [batch, columns, group, count];
  const flat = [batch, columns, group * count];
  const product = batchedMatmul(tile.k, tile.q.transpose(1, 2)).mul(scale).reshape(form);
  const weights = maskScores(product, tile, causal, true).sub(logSum).exp();
  const kept = dropWeights(weights, tile, dropoutP, true);
  const weightGrad = batchedMatmul(tile.v, grad.transpose(1, 2)).reshape(form);
  const scores = tile.key === null ? weights.mul(weightGrad.add(shift)) : kept.mul(weightGrad).add(weights.mul(shift));
  const scoreRows = scores.reshape(flat);
  return {
    q: batchedMatmul(scoreRows.transpose(1, 2), tile.k).mul(scale).reshape([batch, group, count, -1]),
    k: batchedMatmul(scoreRows, tile.q).mul(scale),
    v: batchedMatmul(kept.reshape(flat), grad),
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
