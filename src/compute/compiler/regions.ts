/**
 * Which stored values share a kernel: reductions with what leads to them and what follows from them, row by row, and
 * elementwise values of as many elements (`kernels/rows`, `kernels/elementwise.ts`).
 *
 * Starts from one group a kernel (`schedule.ts`) and joins two at a time: a producer with its reader, or two that read
 * the same. A value that only its own region reads is not stored any more. Joining never makes the order of kernels
 * cyclic, stays within the arrays that a kernel may bind, and keeps enough invocations for a device; whether the rows
 * of both fit together is found out by lowering them.
 */
import { present } from "../../base/assert.ts";
import { columnCount, rowCount, type RowSpace } from "../kernels/rows/row-space.ts";
import { elementCount } from "../layout/shape.ts";
import { ownCost, SMALL_ELEMENTS_MAX } from "./cost.ts";
import { readInputs, type Node } from "./ir.ts";
import type { Group, Schedule } from "./schedule.ts";

/** Groups that one kernel computes. */
export interface Region {
  /** In an order in which each finds what it reads computed. */
  readonly groups: readonly Group[];
  /** What the kernel goes along; null without a reduction. */
  readonly space: RowSpace | null;
  /** The roots that are stored: those that are read elsewhere. */
  readonly outputs: readonly Node[];
  /** True for updates of state, element by element, that are to be packed with others. */
  readonly isUpdate: boolean;
  /** True when a barrier waits for it: it stays before what comes after that. */
  readonly isAwaited: boolean;
}

/** Fewer rows than this go along no more elements in one kernel than `WORK_SMALL`. */
const ROWS_WANTED = 64;
const WORK_SMALL = 16_384;
/** Kernels of more groups than this would take long to compile. */
const GROUPS_MAX = 24;
/** An element that costs more than this, in additions, is not computed again in each sweep. */
const SWEEP_COST_MAX = 60;

export interface RegionInputs {
  readonly schedule: Schedule;
  readonly outputs: readonly Node[];
  /** Those of the outputs that are new values of state. */
  readonly updates: ReadonlySet<Node>;
  readonly bindingsMax: number;
}

/** @param lowers whether a region can be lowered as one kernel */
export function planRegions(wanted: RegionInputs, lowers: (region: Region) => boolean): Region[] {
  return new Fusion(wanted, lowers).run();
}

/** A region while it grows. */
interface Cell {
  groups: readonly Group[];
  space: RowSpace | null;
  /** Of elements, where there is no space. */
  count: number;
  isFusible: boolean;
  /** Updates of state stay among themselves: all of an optimizer's are packed into one dispatch. */
  isUpdate: boolean;
  /** Cells whose roots it reads. */
  readonly producers: Set<Cell>;
  readonly readers: Set<Cell>;
  /** The place of its first group, which orders equals. */
  readonly order: number;
}

class Fusion {
  readonly #schedule: Schedule;
  readonly #outputs: ReadonlySet<Node>;
  readonly #updates: ReadonlySet<Node>;
  readonly #bindingsMax: number;
  readonly #lowers: (region: Region) => boolean;
  readonly #reads = new Map<Group, ReadonlySet<Node>>();
  readonly #readersOf = new Map<Node, Set<Group>>();
  readonly #cellOf = new Map<Group, Cell>();
  readonly #orders: ReadonlyMap<Group, number>;
  /** What barriers wait for. */
  readonly #awaited = new Set<Group>();
  readonly #refused = new Map<Cell, Set<Cell>>();

  constructor({ schedule, outputs, updates, bindingsMax }: RegionInputs, lowers: (region: Region) => boolean) {
    this.#updates = updates;
    this.#schedule = schedule;
    this.#outputs = new Set(outputs);
    this.#bindingsMax = bindingsMax;
    this.#lowers = lowers;
    this.#orders = new Map(schedule.groups.map((group, order) => [group, order]));
    this.#connect();
  }

  run(): Region[] {
    for (const group of this.#schedule.groups) this.#absorbProducers(group);
    this.#joinSiblings();
    const regions = this.#inOrder().map((cell) => this.#regionOf(cell.groups, cell.space, cell.isUpdate));
    return this.#neededOf(regions);
  }

  /** All but what only a barrier waits for, and what leads there alone. */
  #neededOf(regions: readonly Region[]): Region[] {
    const read = new Set(this.#outputs);
    const needed: Region[] = [];
    for (const region of [...regions].reverse()) {
      if (!region.outputs.some((output) => read.has(output))) continue;
      needed.push(region);
      for (const group of region.groups) for (const node of this.#reads.get(group) ?? []) read.add(node);
    }
    return needed.reverse();
  }

  #connect(): void {
    const groupOf = new Map<Node, Group>();
    const fences = new Map<Node, Cell>();
    for (const [order, group] of this.#schedule.groups.entries()) {
      groupOf.set(group.root, group);
      const { reads, waits } = this.#readsUnder(group);
      this.#reads.set(group, reads);
      const cell = newCell(group, order, this.#updates);
      this.#cellOf.set(group, cell);
      for (const read of reads) {
        const readers = this.#readersOf.get(read) ?? new Set();
        this.#readersOf.set(read, readers.add(group));
        const producer = groupOf.get(read);
        if (producer !== undefined) connect(this.#cell(producer), cell);
      }
      for (const after of waits) {
        const fence = fences.get(after) ?? this.#fenceAfter(after, groupOf);
        fences.set(after, fence);
        connect(fence, cell);
      }
    }
  }

  /** A cell of no groups between what `after` is made of and what waits for it: a way by which nothing is joined. */
  #fenceAfter(after: Node, groupOf: ReadonlyMap<Node, Group>): Cell {
    const fence: Cell = { ...FENCE, producers: new Set(), readers: new Set() };
    const seen = new Set([after]);
    const stack = [after];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const group = groupOf.get(node);
      if (group !== undefined) {
        connect(this.#cell(group), fence);
        this.#awaited.add(group);
        continue;
      }
      for (const input of node.inputs) {
        if (seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    return fence;
  }

  #cell(group: Group): Cell {
    return present(this.#cellOf.get(group), "planRegions: the cell of a group");
  }

  /** The stored nodes that a group's kernel reads when it is alone, and what it has to wait for. */
  #readsUnder({ root }: Group): { reads: Set<Node>; waits: Set<Node> } {
    const reads = new Set<Node>();
    const waits = new Set<Node>();
    const seen = new Set<Node>([root]);
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      const [x, after] = node.inputs;
      if (node.primitive.kind === "barrier" && after !== undefined && after !== x) waits.add(after);
      for (const input of readInputs(node)) {
        if (seen.has(input)) continue;
        seen.add(input);
        if (this.#schedule.isStored(input)) reads.add(input);
        else stack.push(input);
      }
    }
    return { reads, waits };
  }

  #absorbProducers(group: Group): void {
    for (let changed = true; changed;) {
      const cell = this.#cell(group);
      changed = [...cell.producers].sort((a, b) => b.order - a.order).some((producer) => this.#join(producer, cell));
    }
  }

  /** Reductions over the same rows that read the same: they share the loads. */
  #joinSiblings(): void {
    const cells = new Set(this.#cellOf.values());
    for (const cell of cells) {
      if (cell.space === null || !this.#isAlive(cell)) continue;
      for (const group of cell.groups) {
        for (const read of this.#reads.get(group) ?? []) {
          for (const reader of this.#readersOf.get(read) ?? []) {
            const other = this.#cell(reader);
            const current = this.#cell(group);
            if (other !== current && other.space !== null) this.#join(other, current);
          }
        }
      }
    }
  }

  #isAlive(cell: Cell): boolean {
    const [first] = cell.groups;
    return first !== undefined && this.#cell(first) === cell;
  }

  /** Makes one cell of two, if they may share a kernel. */
  #join(a: Cell, b: Cell): boolean {
    if (a === b || !a.isFusible || !b.isFusible || a.isUpdate !== b.isUpdate || this.#refused.get(a)?.has(b) === true)
      return false;
    const space = commonSpace(a, b);
    const fits = space !== undefined && !hasDetour(a, b) && !hasDetour(b, a);
    if (space === undefined || !fits || a.groups.length + b.groups.length > GROUPS_MAX) return this.#refuse(a, b);
    const order = (group: Group): number => this.#orders.get(group) ?? 0;
    const groups = [...a.groups, ...b.groups].sort((x, y) => order(x) - order(y));
    const region = this.#regionOf(groups, space, a.isUpdate);
    if (this.#bindingsOf(region) > this.#bindingsMax) return this.#refuse(a, b);
    if (space !== null && this.#isCostly(groups)) return this.#refuse(a, b);
    if (this.#readsElsewhere(a, b) || this.#readsElsewhere(b, a)) return this.#refuse(a, b);
    if (!this.#lowers(region)) return this.#refuse(a, b);
    this.#merge(a, b, groups, space);
    return true;
  }

  /**
   * True when a value of `producer` that is computed element by element is read at other elements: inside the reader's
   * kernel it would be computed again for each, which takes long even to find out by lowering.
   */
  #readsElsewhere(producer: Cell, reader: Cell): boolean {
    const elements = new Set(producer.groups.filter(({ core }) => !TAKES_A_KERNEL.has(core.primitive.kind)).map(({ root }) => root)); // prettier-ignore
    const inside = new Set([...producer.groups, ...reader.groups].map(({ root }) => root));
    const isOpen = (node: Node): boolean => inside.has(node) || !this.#schedule.isStored(node);
    const here = new Set<Node>();
    const elsewhere = new Set<Node>();
    const stack = reader.groups.map(({ root }) => ({ node: root, isMoved: false }));
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const { node, isMoved } = at;
      const seen = isMoved ? elsewhere : here;
      if (seen.has(node) || !isOpen(node)) continue;
      seen.add(node);
      if (isMoved && elements.has(node)) return true;
      for (const [i, input] of readInputs(node).entries())
        stack.push({ node: input, isMoved: isMoved || moves(node, i) });
    }
    return false;
  }

  #refuse(a: Cell, b: Cell): false {
    const refused = this.#refused.get(a) ?? new Set();
    this.#refused.set(a, refused.add(b));
    return false;
  }

  #merge(a: Cell, b: Cell, groups: readonly Group[], space: RowSpace | null): void {
    const merged: Cell = {
      groups,
      space,
      count: b.count,
      isFusible: true,
      isUpdate: a.isUpdate,
      producers: new Set([...a.producers, ...b.producers]),
      readers: new Set([...a.readers, ...b.readers]),
      order: Math.min(a.order, b.order),
    };
    for (const cell of [a, b]) {
      merged.producers.delete(cell);
      merged.readers.delete(cell);
    }
    for (const producer of merged.producers) replaceIn(producer.readers, [a, b], merged);
    for (const reader of merged.readers) replaceIn(reader.producers, [a, b], merged);
    for (const group of groups) this.#cellOf.set(group, merged);
  }

  #regionOf(groups: readonly Group[], space: RowSpace | null, isUpdate: boolean): Region {
    const inside = new Set(groups);
    const isOutput = ({ root }: Group): boolean =>
      this.#outputs.has(root) || [...(this.#readersOf.get(root) ?? [])].some((reader) => !inside.has(reader));
    const isAwaited = groups.some((group) => this.#awaited.has(group));
    return { groups, space, isUpdate, isAwaited, outputs: groups.filter(isOutput).map(({ root }) => root) };
  }

  #bindingsOf({ groups, outputs }: Region): number {
    const inside = new Set(groups.map(({ root }) => root));
    const reads = new Set<Node>();
    for (const group of groups) for (const read of this.#reads.get(group) ?? []) if (!inside.has(read)) reads.add(read);
    return reads.size + outputs.length;
  }

  /** True when something expensive would be computed for each element in more than one sweep. */
  #isCostly(groups: readonly Group[]): boolean {
    if (groups.filter(({ core }) => core.primitive.kind === "reduce").length < 2) return false;
    return groups.some(
      ({ root, core }) => root === core && core.primitive.kind !== "reduce" && this.#costUnder(root) > SWEEP_COST_MAX,
    );
  }

  #costUnder(root: Node): number {
    let cost = 0;
    const seen = new Set<Node>([root]);
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      cost += ownCost(node);
      for (const input of readInputs(node)) {
        if (seen.has(input) || this.#schedule.isStored(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    return cost;
  }

  /** Producers before readers; equals in the order of their groups. */
  #inOrder(): Cell[] {
    const out: Cell[] = [];
    const state = new Map<Cell, "open" | "done">();
    const cells = this.#schedule.groups.map((group) => this.#cell(group));
    const stack = [...new Set(cells)].sort((a, b) => b.order - a.order);
    for (let cell = stack.at(-1); cell !== undefined; cell = stack.at(-1)) {
      const seen = state.get(cell);
      if (seen === undefined) {
        state.set(cell, "open");
        const missing = [...cell.producers].filter((producer) => !state.has(producer));
        stack.push(...missing.sort((a, b) => b.order - a.order));
        continue;
      }
      stack.pop();
      if (seen === "open") out.push(cell);
      state.set(cell, "done");
    }
    return out;
  }
}

const FENCE: Omit<Cell, "producers" | "readers"> = {
  groups: [],
  space: null,
  count: 0,
  isFusible: false,
  isUpdate: false,
  order: -1,
};

function connect(producer: Cell, reader: Cell): void {
  producer.readers.add(reader);
  reader.producers.add(producer);
}

function newCell(group: Group, order: number, updates: ReadonlySet<Node>): Cell {
  const { core, root } = group;
  const [x] = core.inputs;
  const { primitive } = core;
  const space = primitive.kind === "reduce" && x !== undefined ? { shape: x.shape, axes: primitive.axes } : null;
  const isElementwise = core === root && !TAKES_A_KERNEL.has(primitive.kind);
  return {
    groups: [group],
    space,
    count: elementCount(root.shape),
    isFusible: space !== null || isElementwise,
    isUpdate: isElementwise && updates.has(root) && elementCount(root.shape) <= SMALL_ELEMENTS_MAX,
    producers: new Set(),
    readers: new Set(),
    order,
  };
}

/** True when `node` reads its input `i` at other places than those that a view in another shape or order leads to. */
function moves({ primitive: { kind } }: Node, i: number): boolean {
  return kind === "slice" || kind === "pad" || kind === "window" || (kind === "gather" && i === 0);
}

const TAKES_A_KERNEL: ReadonlySet<string> = new Set(["reduce", "scan", "scatterAdd", "contraction", "attention"]);

/** The space of both together; null for elements alone, undefined if they do not fit. */
function commonSpace(a: Cell, b: Cell): RowSpace | null | undefined {
  if (a.space === null && b.space === null) return a.count === b.count ? null : undefined;
  const space = b.space ?? a.space;
  if (space === null) return undefined;
  const rows = rowCount(space);
  const columns = columnCount(space);
  const isFew = rows < ROWS_WANTED && rows * columns > WORK_SMALL;
  for (const cell of [a, b]) {
    if (cell.space !== null) {
      if (rowCount(cell.space) !== rows || columnCount(cell.space) !== columns) return undefined;
    } else if (cell.count !== rows && (cell.count !== rows * columns || isFew)) {
      return undefined;
    }
  }
  return space;
}

/** True when something leads from `from` to `to` other than directly: then both in one kernel would wait for each other. */
function hasDetour(from: Cell, to: Cell): boolean {
  const seen = new Set<Cell>();
  const stack = [...to.producers].filter((cell) => cell !== from);
  for (let cell = stack.pop(); cell !== undefined; cell = stack.pop()) {
    if (seen.has(cell)) continue;
    seen.add(cell);
    if (cell.producers.has(from)) return true;
    for (const producer of cell.producers) stack.push(producer);
  }
  return false;
}

function replaceIn(set: Set<Cell>, old: readonly Cell[], by: Cell): void {
  for (const cell of old) set.delete(cell);
  set.add(by);
}
