/** One kernel for a region: its values are emitted where they are stored, and computed where the region reads them itself. */
import { assert, present } from "../../base/assert.ts";
import { InvariantError } from "../../base/errors.ts";
import { contraction } from "../kernels/contraction/contraction.ts";
import type { DeviceTraits } from "../kernels/device-traits.ts";
import { elementwise } from "../kernels/elementwise.ts";
import { flatten, Loops, unflatten, type Grid, type Index, type Operand } from "../kernels/grid.ts";
import { columnCount, rowCount, type RowSpace, type Sweep } from "../kernels/rows/row-space.ts";
import { rows } from "../kernels/rows/rows.ts";
import { scan } from "../kernels/scan.ts";
import { isByLine, scatterByElement, scatterByLine } from "../kernels/scatter-add.ts";
import { loadShared } from "../lang/build.ts";
import {
  valueTypeOf,
  type Binding,
  type Expr,
  type Kernel,
  type PlainType,
  type SharedArray,
  type Statement,
} from "../lang/kernel.ts";
import { letIn, store, storeShared } from "../lang/statements.ts";
import { elementCount, sameShape } from "../layout/shape.ts";
import { describeRegion } from "./describe.ts";
import { Emitter, storedForm, storedTypeOf } from "./emit.ts";
import { scalarTypeOf } from "./fold.ts";
import { readInputs, type Node } from "./ir.ts";
import { keptValues, type KeptValue } from "./kept-values.ts";
import { lowerAttention } from "./lower-attention.ts";
import type { Region } from "./regions.ts";
import type { Group } from "./schedule.ts";
import type { Choices } from "./tuning/choices.ts";
import { Picks } from "./tuning/picks.ts";
import { indexAheadOfView, regroup } from "./views.ts";

/** A kernel, and the nodes whose bytes its bindings are: first those that it stores, then those that it reads. */
export interface LoweredKernel {
  readonly kernel: Kernel;
  readonly outputs: readonly Node[];
  readonly inputs: readonly Node[];
  /** True for sums and the like, row by row. */
  readonly isRows: boolean;
  /** True when a barrier waits for it. */
  readonly isAwaited: boolean;
}

/** Undefined when the groups of `region` do not fit together: one reads a result of another at a place that has none. */
export function lowerRegion(
  region: Region,
  isStored: (node: Node) => boolean,
  choices: Choices,
  traits: DeviceTraits,
): LoweredKernel | undefined {
  return new RegionLowering(region, isStored, new Picks(choices, traits, isStored), traits).run();
}

/** Longer rows would leave the processor's second cache. */
const KEPT_COLUMNS_MAX = 2 ** 14;

class RegionLowering {
  readonly #region: Region;
  readonly #isStored: (node: Node) => boolean;
  readonly #picks: Picks;
  readonly #keepsLoops: boolean;
  readonly #keepsRows: boolean;
  readonly #loops = new Loops();
  readonly #emitter: Emitter;
  /** By root. */
  readonly #groups: ReadonlyMap<Node, Group>;

  constructor(region: Region, isStored: (node: Node) => boolean, picks: Picks, traits: DeviceTraits) {
    this.#keepsLoops = traits.isSoftware;
    this.#keepsRows = traits.hasVectorLanes === true;
    this.#region = region;
    this.#picks = picks;
    this.#isStored = isStored;
    this.#groups = new Map(region.groups.map((group) => [group.root, group]));
    const isRead = (node: Node): boolean => isStored(node) && !this.#groups.has(node);
    this.#emitter = new Emitter(isRead, this.#loops, region.outputs.length);
  }

  run(): LoweredKernel | undefined {
    const { groups, space, outputs, isAwaited } = this.#region;
    const [first] = groups;
    assert(first !== undefined, "lowerRegion: expected a group");
    const isRows = space !== null && groups.some(({ core }) => core.primitive.kind === "reduce");
    const grid = isRows ? this.#rows(space) : isElements(first) ? this.#elements() : this.#single(first);
    if (grid === undefined || this.#emitter.missing !== undefined) return undefined;
    const inputs = this.#emitter.stored;
    const readsOutput = first.core.primitive.kind === "scatterAdd" && isByLine(scatterOf(first.core));
    const bindings: Binding[] = [...outputs, ...inputs].map((node, i) => ({
      type: storedTypeOf(node),
      access: i >= outputs.length ? "read" : readsOutput ? "readWrite" : "write",
      length: elementCount(node.shape),
    }));
    const name = describeRegion(this.#region, this.#isStored);
    const keepsLoops = this.#keepsLoops;
    return { kernel: { name, bindings, keepsLoops, ...grid }, outputs, inputs, isRows, isAwaited };
  }

  #store(root: Node, index: Index, value: Expr): Statement {
    const binding = this.#region.outputs.indexOf(root);
    return store(binding, flatten(index, root.shape), storedForm(value));
  }

  /** All roots at one place after another; what each is at the place of the last one. */
  #elements(): Grid | undefined {
    const { groups, outputs, isUpdate } = this.#region;
    const last = present(groups.at(-1), "lowerRegion: a last group").root;
    const body = (index: Index): readonly Statement[] => {
      const lets: Statement[] = [];
      const stores = groups.flatMap(({ root }) => {
        const at = sameShape(root.shape, last.shape) ? index : regroup(index, last.shape, root.shape);
        const value = this.#emitter.emit(root, at);
        if (!outputs.includes(root)) return [];
        if (outputs.length === 1) return [this.#store(root, at, value)];
        // All values before all stores: one may be stored over what another is computed from.
        const named = letIn(this.#loops.names, "out", value);
        lets.push(named.statement);
        return [this.#store(root, at, named.use)];
      });
      return [...lets, ...stores];
    };
    const schedule = isUpdate ? { each: 1, areNeighbours: false } : this.#picks.elements(this.#region);
    const grid = elementwise(last.shape, schedule, body, this.#loops);
    const places = schedule.areNeighbours ? schedule.each : 1;
    const isScattered = groups.length > 1 && groups.some(({ root }) => this.#emitter.placesOf(root) > places);
    return isScattered ? undefined : grid;
  }

  /** A scan, scatter or product, and the steps after it. */
  #single({ root, core, epilogue }: Group): Grid {
    const sink = (index: Index, result: Expr): readonly Statement[] => {
      const end = this.#afterCore(core, epilogue, index, result);
      return [this.#store(root, end.index, end.value)];
    };
    const { primitive, inputs, shape } = core;
    const [x, y] = inputs;
    const loops = this.#loops;
    switch (primitive.kind) {
      case "scan": {
        const work = { fn: primitive.fn, type: valueTypeOf(storedTypeOf(core)), shape, axis: primitive.axis };
        return scan(work, this.#picks.scan(core, work), this.#operand(x), sink, loops);
      }
      case "scatterAdd": {
        const scatter = scatterOf(core);
        const [values, indices] = [this.#operand(x), this.#operand(y)];
        return isByLine(scatter)
          ? scatterByLine(scatter, this.#picks.scatterRanges(scatter), values, indices, 0, loops)
          : scatterByElement(scatter, values, indices, sink, loops);
      }
      case "contraction": {
        const [batch = 1, rowsDown = 1, columns = 1] = shape;
        const product = { batch, rows: rowsDown, columns, inner: x?.shape[2] ?? 1 };
        const schedule = this.#picks.contraction(core, product);
        return contraction(product, schedule, this.#operand(x), this.#operand(y), sink, loops);
      }
      case "attention": {
        const schedule = this.#picks.attention(core);
        return lowerAttention(core, (node) => this.#operand(node), { schedule, sink, loops });
      }
      default:
        throw new InvariantError(
          `lowerRegion: expected a scan, scatterAdd, contraction or attention, found ${primitive.kind}`,
        );
    }
  }

  #operand(node: Node | undefined): Operand {
    assert(node !== undefined, "lowerRegion: expected an input");
    return (index) => this.#emitter.emit(node, index);
  }

  /** Makes the core's result known, and goes through the steps that follow it. */
  #afterCore(core: Node, steps: readonly Node[], coreIndex: Index, result: Expr): { index: Index; value: Expr } {
    let index = coreIndex;
    let value = result;
    let source = core;
    this.#emitter.provide(core, index, value);
    for (const step of steps) {
      if (step.primitive.kind === "reshape" || step.primitive.kind === "permute") {
        index = indexAheadOfView(step, source.shape, index);
        this.#emitter.provide(step, index, value);
      } else {
        value = this.#emitter.emit(step, index);
      }
      source = step;
    }
    return { index, value };
  }

  #rows(space: RowSpace): Grid | undefined {
    const { groups } = this.#region;
    const depths = this.#depths();
    const isRow = ({ root }: Group): boolean => elementCount(root.shape) === rowCount(space);
    const count = Math.max(...groups.map((group) => this.#sweepOf(group, depths, isRow(group)))) + 1;
    const schedule = this.#picks.rows(this.#region, space, count);
    const groupsAt = Array.from({ length: count }, (_, at) =>
      groups.filter((group) => this.#sweepOf(group, depths, isRow(group)) === at),
    );
    const kept = schedule.kind === "subgroups" && this.#keepsRows ? this.#keptIn(space, groupsAt, isRow) : [];
    const sweeps = groupsAt.map((here, at) => this.#keeping(kept, at, space, this.#sweep(space, here, isRow)));
    const grid = rows(
      space,
      sweeps,
      schedule,
      this.#loops,
      kept.map(({ node }) => sharedOf(node, space)),
    );
    // An element that is computed at more places than there are sweeps is read across rows.
    const isScattered = groups.some(
      (group) => group.core.primitive.kind !== "reduce" && this.#emitter.placesOf(group.root) > count + 1,
    );
    return isScattered ? undefined : grid;
  }

  /** What is kept of a row, of those that are short enough. */
  #keptIn(space: RowSpace, groupsAt: readonly (readonly Group[])[], isRow: (group: Group) => boolean): KeptValue[] {
    if (columnCount(space) > KEPT_COLUMNS_MAX) return [];
    const roots = groupsAt.map((groups) =>
      groups.flatMap((group): readonly Node[] => {
        const { core, root } = group;
        const { primitive } = core;
        if (primitive.kind === "reduce") return sameShape(primitive.axes, space.axes) ? core.inputs : [];
        return !isRow(group) && this.#region.outputs.includes(root) ? [root] : [];
      }),
    );
    return keptValues(roots, space.shape, (node) => this.#isStored(node) && !this.#groups.has(node));
  }

  /** A sweep that stores what it is the first one to compute, and loads what was kept before. */
  #keeping(kept: readonly KeptValue[], at: number, space: RowSpace, sweep: Sweep): Sweep {
    if (kept.length === 0) return sweep;
    const placeOf = (index: Index): Expr => {
      const places = space.axes.map((axis) => present(index[axis], "lowerRegion: a place along the row"));
      return flatten(places, space.axes.map((axis) => space.shape[axis] ?? 1)); // prettier-ignore
    };
    const recall = (index: Index): void => {
      for (const [array, { node, sweep: first }] of kept.entries()) {
        if (first >= at) continue;
        this.#emitter.provide(node, index, loadShared(array, placeOf(index), sharedTypeOf(node)));
      }
    };
    return {
      reductions: sweep.reductions.map((reduction) => ({
        ...reduction,
        operand: (index: Index): Expr => {
          recall(index);
          return reduction.operand(index);
        },
      })),
      element: (index) => {
        recall(index);
        const stores = kept.flatMap(({ node, sweep: first }, array) =>
          first === at ? [storeShared(array, placeOf(index), this.#emitter.emit(node, index))] : [],
        );
        return [...stores, ...sweep.element(index)];
      },
      finish: (row, results) => sweep.finish(row, results),
    };
  }

  #sweep(space: RowSpace, groups: readonly Group[], isRow: (group: Group) => boolean): Sweep {
    const reduces = groups.filter(({ core }) => core.primitive.kind === "reduce");
    const others = groups.filter((group) => !reduces.includes(group));
    const { outputs } = this.#region;
    return {
      reductions: reduces.map(({ core }) => {
        const { primitive, inputs } = core;
        assert(primitive.kind === "reduce", "lowerRegion: expected a reduction");
        const x = present(inputs[0], "lowerRegion: what a reduction reads");
        const operand = (index: Index): Expr => this.#emitter.emit(x, inShape(index, space, x.shape, primitive.axes));
        const type = scalarTypeOf(core.dtype);
        assert(type !== "bool", "lowerRegion: expected a reduction of numbers");
        return { fn: primitive.fn, type, operand };
      }),
      element: (index) =>
        others
          .filter((group) => !isRow(group) && outputs.includes(group.root))
          .map(({ root }) => {
            const at = sameShape(root.shape, space.shape) ? index : regroup(index, space.shape, root.shape);
            return this.#store(root, at, this.#emitter.emit(root, at));
          }),
      finish: (row, results) => {
        const ends = reduces.map(({ root, core, epilogue }, i) => {
          const at = rowIn(row, space, core.shape);
          const end = this.#afterCore(core, epilogue, at, present(results[i], "lowerRegion: a result"));
          return { root, ...end };
        });
        for (const { root } of others.filter(isRow)) {
          const index = rowIn(row, space, root.shape);
          ends.push({ root, index, value: this.#emitter.emit(root, index) });
        }
        return ends
          .filter(({ root }) => outputs.includes(root))
          .map(({ root, index, value }) => this.#store(root, index, value));
      },
    };
  }

  /** In which sweep a group is computed: a reduction or a row's value at the end of one, an element within one. */
  #sweepOf({ root, core }: Group, depths: ReadonlyMap<Node, number>, isRow: boolean): number {
    if (core.primitive.kind === "reduce") return depths.get(core) ?? 0;
    const after = depths.get(root) ?? -1;
    return isRow ? Math.max(after, 0) : after + 1;
  }

  /** For reductions the sweep that computes them, for others the last sweep whose results they need; -1 for none. */
  #depths(): Map<Node, number> {
    const depths = new Map<Node, number>();
    const stack: Node[] = this.#region.groups.map(({ root }) => root).reverse();
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (depths.has(node)) {
        stack.pop();
        continue;
      }
      const inputs = readInputs(node).filter((input) => !this.#isStored(input) || this.#groups.has(input));
      const missing = inputs.filter((input) => !depths.has(input));
      if (missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      const deepest = inputs.reduce((most, input) => Math.max(most, depths.get(input) ?? -1), -1);
      depths.set(node, node.primitive.kind === "reduce" ? deepest + 1 : deepest);
    }
    return depths;
  }
}

function sharedTypeOf(node: Node): PlainType {
  return valueTypeOf(storedTypeOf(node));
}

/** The array that keeps a value of a row. */
function sharedOf(node: Node, space: RowSpace): SharedArray {
  return { type: sharedTypeOf(node), length: columnCount(space), isStoredFirst: true };
}

function isElements({ root, core }: Group): boolean {
  const { kind } = core.primitive;
  return core === root && kind !== "scan" && kind !== "scatterAdd" && kind !== "contraction" && kind !== "attention";
}

/** The index into `shape`, whose rows run along `axes`, of the element at `index` of the space. */
function inShape(index: Index, space: RowSpace, shape: readonly number[], axes: readonly number[]): Index {
  if (sameShape(shape, space.shape) && sameShape(axes, space.axes)) return index;
  const kept = (all: readonly number[], reduced: readonly number[]): number[] =>
    all.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const part = (axesOfSpace: readonly number[], axesHere: readonly number[]): Expr[] => {
    const sizes = axesOfSpace.map((axis) => space.shape[axis] ?? 1);
    const places = axesOfSpace.map((axis) => present(index[axis], "lowerRegion: a place along an axis"));
    return unflatten(flatten(places, sizes), axesHere.map((axis) => shape[axis] ?? 1)); // prettier-ignore
  };
  const out = new Array<Expr>(shape.length);
  const keptHere = kept(shape, axes);
  for (const [i, at] of part(kept(space.shape, space.axes), keptHere).entries()) out[keptHere[i] ?? 0] = at;
  for (const [i, at] of part(space.axes, axes).entries()) out[axes[i] ?? 0] = at;
  return out;
}

/** The index into `shape`, of an element a row, of the row at `row`. */
function rowIn(row: Index, space: RowSpace, shape: readonly number[]): Index {
  const rowShape = space.shape.map((size, axis) => (space.axes.includes(axis) ? 1 : size));
  return sameShape(shape, rowShape) ? row : regroup(row, rowShape, shape);
}

function scatterOf(core: Node): Parameters<typeof isByLine>[0] {
  const type = valueTypeOf(storedTypeOf(core));
  const [x] = core.inputs;
  if (core.primitive.kind !== "scatterAdd" || x === undefined) {
    throw new InvariantError(`lower: expected a scatterAdd, found ${core.primitive.kind}`);
  }
  const { axis } = core.primitive;
  return { type, shape: x.shape, axis, size: core.shape[axis] ?? 1 };
}
