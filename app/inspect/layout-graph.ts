/**
 * Where the nodes of a graph stand: in layers from left to right, inputs before readers, neighbours at one height where
 * that is possible (after Sugiyama, Tagawa and Toda, 1981; without dummy nodes, since edges may cross).
 *
 * Pure, and linear in the edges but for sorting: a graph of 10,000 nodes takes a blink. Runs in the worker.
 */
import type { GraphReport } from "hearth";

/** Positions in units of the drawing: at scale 1 these are CSS pixels. */
export interface GraphLayout {
  /** Left edge of each node. */
  readonly x: Float32Array;
  /** Top edge of each node. */
  readonly y: Float32Array;
  readonly width: number;
  readonly height: number;
}

export const NODE_WIDTH = 148;
export const NODE_HEIGHT = 38;
const LAYER_STEP = NODE_WIDTH + 64;
const ROW_STEP = NODE_HEIGHT + 12;
const SWEEPS = 12;

export function layoutGraph({ nodes }: Pick<GraphReport, "nodes">): GraphLayout {
  const inputs = nodes.map((node) => node.inputs);
  const readers: number[][] = nodes.map(() => []);
  for (const { id, inputs: read } of nodes) for (const input of new Set(read)) readers[input]?.push(id);
  const layerOf = layersOf(inputs, readers);
  const layers: number[][] = [];
  for (const [id, layer] of layerOf.entries()) (layers[layer] ??= []).push(id);

  const y = new Float64Array(nodes.length);
  for (const layer of layers)
    for (const [row, id] of layer.entries()) y[id] = (row - (layer.length - 1) / 2) * ROW_STEP;
  const pull = (id: number, neighbours: readonly number[], sum: { weight: number; total: number }): void => {
    for (const other of neighbours) {
      // The nearer in layers, the more it counts: an edge across the whole graph bends anyway.
      const weight = 1 / Math.abs((layerOf[other] ?? 0) - (layerOf[id] ?? 0));
      sum.weight += weight;
      sum.total += weight * (y[other] ?? 0);
    }
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForward = sweep % 2 === 0;
    const isLast = sweep >= SWEEPS - 2;
    for (const layer of isForward ? layers : [...layers].reverse()) {
      const wanted = layer.map((id) => {
        const sum = { weight: 0, total: 0 };
        if (isForward || isLast) pull(id, inputs[id] ?? [], sum);
        if (!isForward || isLast) pull(id, readers[id] ?? [], sum);
        return { id, at: sum.weight === 0 ? (y[id] ?? 0) : sum.total / sum.weight };
      });
      wanted.sort((a, b) => a.at - b.at || a.id - b.id);
      const placed = spread(wanted.map(({ at }) => at), ROW_STEP); // prettier-ignore
      for (const [row, { id }] of wanted.entries()) y[id] = placed[row] ?? 0;
    }
  }
  return framed(layerOf, y, layers.length);
}

/**
 * The layer of each node: one past its last input's; but what would else wait far from its first reader (leaves above
 * all, and what an optimizer makes of them) stands just ahead of it, unless that moves it away from more than it nears.
 */
function layersOf(inputs: readonly (readonly number[])[], readers: readonly (readonly number[])[]): number[] {
  const layers: number[] = [];
  for (const [id, read] of inputs.entries()) {
    layers[id] = read.reduce((most, input) => Math.max(most, (layers[input] ?? 0) + 1), read.length === 0 ? 0 : 1);
  }
  for (let id = inputs.length - 1; id >= 0; id--) {
    const own = readers[id] ?? [];
    if (own.length === 0) continue;
    let away = 0;
    for (const input of new Set(inputs[id])) {
      // An input of its own comes along; one that many read is near none of them anyway.
      const count = readers[input]?.length ?? 0;
      if (count > 1) away += 1 / count;
    }
    if (away <= 1) layers[id] = own.reduce((least, reader) => Math.min(least, layers[reader] ?? 0), Infinity) - 1;
  }
  return layers;
}

/**
 * Ascending places with at least `step` between neighbours, as near to `wanted` (ascending) as squares can tell: pool
 * adjacent violators.
 */
export function spread(wanted: readonly number[], step: number): number[] {
  // Without the steps, the places only have to be ascending. A block shares one offset.
  const blocks: { total: number; count: number }[] = [];
  for (const [i, at] of wanted.entries()) {
    blocks.push({ total: at - i * step, count: 1 });
    for (;;) {
      const [before, last] = blocks.slice(-2);
      if (before === undefined || last === undefined) break;
      if (before.total / before.count <= last.total / last.count) break;
      blocks.splice(-2, 2, { total: before.total + last.total, count: before.count + last.count });
    }
  }
  const offsets = blocks.flatMap(({ total, count }) => new Array<number>(count).fill(total / count));
  return offsets.map((offset, i) => offset + i * step);
}

function framed(layerOf: readonly number[], y: Float64Array, layerCount: number): GraphLayout {
  const top = y.reduce((least, at) => Math.min(least, at), Infinity);
  const bottom = y.reduce((most, at) => Math.max(most, at), -Infinity);
  const isEmpty = y.length === 0;
  return {
    x: Float32Array.from(layerOf, (layer) => layer * LAYER_STEP),
    y: Float32Array.from(y, (at) => at - top),
    width: isEmpty ? 0 : (layerCount - 1) * LAYER_STEP + NODE_WIDTH,
    height: isEmpty ? 0 : bottom - top + NODE_HEIGHT,
  };
}
