/** A tile of an array in shared memory while a loop's body runs: loaded once by all lanes, used by many. */
import { OptionError } from "../../../base/errors.ts";
import { add, i32, load, multiply } from "../build.ts";
import { valueTypeOf, type Expr } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import { accessesIn, type Access } from "./dependences.ts";
import { counterOf, type Fill, type Loop, type LoopNest, type NestArray } from "./loop-nest.ts";
import { tileUseOf, type TileUse } from "./tile.ts";
import { assignsIn, checkHolds, freshName, loopsIn, mapExprs, pathTo, replaceLoop } from "./tree.ts";

/**
 * What the body of `loop` loads from `array`, over all lanes of the workgroup, is copied into a shared array first: all
 * lanes copy a part each, with a barrier before and behind; then loads find it there.
 *
 * For out[i, j] += a[i, k] * b[k, j] in tiles of 64 x 64 and 16 along k, at the loop over tiles of k: 64 x 16 elements of
 * a, copied once in place of loaded 8 times by each of 8 x 8 lanes. Loops must be handed out to lanes before.
 *
 * @throws OptionError for an array that the nest stores, or uses that are not base + strides of one tile, up to constants
 */
export function cacheInWorkgroup(nest: LoopNest, array: string, loop: string): LoopNest {
  const operation = `cacheInWorkgroup(${array}, ${loop})`;
  const path = pathTo(operation, nest, loop);
  const found = path.at(-1) as Loop;
  checkHolds(operation, found);
  const number = nest.arrays.findIndex(({ name }) => name === array);
  checkPlace(operation, nest, path, number);
  const running = new Set(
    [...path.filter(({ run }) => run === "lanes"), ...loopsIn(found.body)].map(({ name }) => name),
  );
  const uses = accessesIn([found], path.slice(0, -1))
    .filter((access) => access.array === number)
    .map((access): Use => ({ access, tile: tileUseOf(operation, nest, access, (name) => running.has(name)) }));
  const [first] = uses;
  if (first === undefined) throw new OptionError(`${operation}: expected a load of ${array}, found none`);
  const key = ({ tile }: Use): string =>
    [tile.baseKey, ...tile.terms.map(({ stride, loop: { extent } }) => `${extent}*${stride}`)].join(";");
  if (uses.some((use) => key(use) !== key(first))) {
    throw new OptionError(`${operation}: expected uses that differ by constants, found others`);
  }
  const layout = layOut(uses);
  const length = layout.axes.reduce((size, { extent }) => size * extent, 1);
  const type = valueTypeOf((nest.arrays[number] as NestArray).type);
  const tile: NestArray = { name: freshName(nest, `${array}_shared`), type, length, space: "shared" };
  const target = nest.arrays.length;
  const base = add(first.tile.base, i32(layout.constant - first.tile.constant));
  const fill: Fill = { kind: "fill", array: target, from: number, base, axes: layout.axes };
  const places = new Map(uses.map((use, i) => [use.access.index, placeIn(layout, use, layout.offsets[i] ?? [])]));
  const moved = (x: Expr): Expr | undefined => {
    const place = x.kind === "load" && x.binding === number ? places.get(x.index) : undefined;
    return place && load(target, place, type);
  };
  const exchange = (x: Expr): Expr => rebuild(x, moved);
  const body = [fill, ...mapExprs(found.body, exchange)];
  return replaceLoop({ ...nest, arrays: [...nest.arrays, tile] }, loop, () => [{ ...found, body }]);
}

interface Use {
  readonly access: Access;
  readonly tile: TileUse;
}

interface Axis {
  readonly extent: number;
  readonly stride: number;
}

interface Layout {
  /** Outermost first. */
  readonly axes: readonly Axis[];
  /** Of the tile's first element, in the array. */
  readonly constant: number;
  /** Of each use in the tile, in steps of the axes. */
  readonly offsets: readonly (readonly number[])[];
}

function checkPlace(operation: string, nest: LoopNest, path: readonly Loop[], number: number): void {
  const lanes = loopsIn(nest.body).filter(({ run }) => run === "lanes");
  if (lanes.length === 0) throw new OptionError(`${operation}: expected loops handed out to lanes, found none`);
  const outside = lanes.find((lane) => !path.some(({ name }) => name === lane.name));
  if (outside !== undefined) {
    throw new OptionError(`${operation}: expected a loop inside of lanes, found ${outside.name} further inside`);
  }
  const isStored = assignsIn(nest.body).some(({ array }) => array === number);
  if (isStored) throw new OptionError(`${operation}: expected an array that is only loaded, found one that is stored`);
}

/** The smallest box of axes that holds all uses. */
function layOut(uses: readonly Use[]): Layout {
  const axes = axesOf(uses);
  const { constant = 0 } = uses[0]?.tile ?? {};
  const steps = uses.map(({ tile }) => offsetsOf(tile.constant - constant, axes));
  const low = axes.map((_, axis) => Math.min(...steps.map((offset) => offset[axis] ?? 0)));
  const offsets = steps.map((offset) => offset.map((step, axis) => step - (low[axis] ?? 0)));
  const room = axes.map((_, axis) => Math.max(...offsets.map((offset) => offset[axis] ?? 0)));
  return {
    axes: axes.map(({ extent, stride }, axis) => ({ extent: extent + (room[axis] ?? 0), stride })),
    constant: axes.reduce((sum, { stride }, axis) => sum + stride * (low[axis] ?? 0), constant),
    offsets,
  };
}

/** Loops whose strides interlock, such as rows of lanes and rows of registers, share an axis. */
function axesOf(uses: readonly Use[]): Axis[] {
  const axes: Axis[] = [];
  for (const { stride, loop } of [...(uses[0]?.tile.terms ?? [])].reverse()) {
    const last = axes.at(-1);
    if (last === undefined || stride > last.stride * last.extent) {
      axes.push({ extent: loop.extent, stride });
      continue;
    }
    const unit = gcd(last.stride, stride);
    const reach = last.stride * (last.extent - 1) + stride * (loop.extent - 1);
    axes[axes.length - 1] = { extent: reach / unit + 1, stride: unit };
  }
  const unit = axes[0]?.stride ?? 0;
  const [first] = uses;
  const isBetween = uses.some(({ tile }) => (tile.constant - (first?.tile.constant ?? 0)) % (unit || Infinity) !== 0);
  if (isBetween || axes.length === 0) axes.unshift({ extent: 1, stride: 1 });
  return axes.reverse();
}

/** A constant in whole steps of the axes, the nearest of the outer ones first. */
function offsetsOf(constant: number, axes: readonly Axis[]): number[] {
  let rest = constant;
  return axes.map(({ stride }, axis) => {
    const steps = axis === axes.length - 1 ? rest / stride : Math.round(rest / stride);
    rest -= steps * stride;
    return steps;
  });
}

/** Where in the tile a use is. */
function placeIn({ axes }: Layout, { tile }: Use, offsets: readonly number[]): Expr {
  const pitches = axes.map((_, axis) => axes.slice(axis + 1).reduce((size, { extent }) => size * extent, 1));
  let place = i32(offsets.reduce((sum, offset, axis) => sum + offset * (pitches[axis] ?? 0), 0));
  for (const { loop, stride } of tile.terms) {
    // The outermost one: what interlocks with a finer axis stays below the next one's stride.
    const axis = axes.findIndex((candidate) => candidate.stride <= stride);
    const factor = (stride / (axes[axis]?.stride ?? 1)) * (pitches[axis] ?? 0);
    place = add(place, multiply(counterOf(loop.name, loop.extent), i32(factor)));
  }
  return place;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
