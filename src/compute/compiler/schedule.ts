/**
 * Which nodes are stored, each by a kernel of its own; all others are computed inside the kernels that read them.
 *
 * Stored are: outputs; what takes a loop (reduce, scan, scatterAdd, contraction); what contractions read, since they
 * read it many times; what a barrier holds back until it is there itself; what would cost more to compute again
 * (`cost.ts`); and what keeps a kernel small enough for printers and devices. The elementwise steps that follow a reduce, scan or contraction alone are done by its kernel.
 */
import { elementCount } from "../layout/shape.ts";
import { assert } from "../../base/assert.ts";
import { isByLine } from "../kernels/scatter-add.ts";
import { attentionOf, pairInputs } from "./infer-attention.ts";
import { costsOf, isTrivial, isWorthStoring, ownCost } from "./cost.ts";
import { readInputs, type Node } from "./ir.ts";
import { isView } from "./views.ts";
import { inTopologicalOrder, readersOf } from "./walk-graph.ts";

/** A kernel to be made. */
export interface Group {
  /** The node that it stores. */
  readonly root: Node;
  /** The reduce, scan or contraction whose result `root` is computed from, inside the same kernel; else `root`. */
  readonly core: Node;
  /** What leads from `core` to `root`, in order, ending with it: elementwise nodes, reshapes and permutes. */
  readonly epilogue: readonly Node[];
}

export interface Schedule {
  /** In an order in which each finds its inputs stored. */
  readonly groups: readonly Group[];
  /** True for leaves and roots. */
  isStored(node: Node): boolean;
}

/** Longer chains of unstored nodes are cut: emitting them recurses. */
const DEPTH_MAX = 96;
const EPILOGUE_MAX = 32;
/** A contraction's epilogue is written out for each element of its tile: costly functions would take long to compile. */
const TILE_STEP_COST_MAX = 4;
/** Ways in which the kernels of a graph may read one unstored node: each makes its expression again. */
const WAYS_MAX = 16;

/** Decides for the graph of `outputs`. A kernel may bind `bindingsMax` arrays, its result included. */
export function planSchedule(outputs: readonly Node[], bindingsMax: number): Schedule {
  return new Scheduling(outputs, bindingsMax).run();
}

/** The elements that a kernel visits, and by which way it came there: the same elements for the same key. */
type Ways = Map<string, number>;

class Scheduling {
  readonly #order: readonly Node[];
  readonly #readers: Map<Node, Node[]>;
  readonly #ids: Map<Node, number>;
  readonly #bindingsMax: number;
  readonly #stored = new Set<Node>();
  readonly #outputs: ReadonlySet<Node>;
  /** By root. */
  readonly #epilogues = new Map<Node, { readonly core: Node; readonly steps: readonly Node[] }>();
  /** Cores and steps of epilogues: computed where they are, whatever else they cost. */
  readonly #claimed = new Set<Node>();

  /** What attention reads of it, there is as much as there are scores. */
  readonly #perPair = new Set<Node>();

  constructor(outputs: readonly Node[], bindingsMax: number) {
    this.#order = inTopologicalOrder(outputs);
    this.#readers = readersOf(this.#order);
    this.#ids = new Map(this.#order.map((node, id) => [node, id]));
    this.#outputs = new Set(outputs);
    this.#bindingsMax = bindingsMax;
  }

  run(): Schedule {
    const isStored = (node: Node): boolean => this.#isStored(node);
    for (const node of this.#order) this.#storeIfNecessary(node);
    for (const node of this.#order) if (hasEpilogue(node)) this.#findEpilogue(node);
    this.#storeIfCheaper();
    this.#cutDeep();
    // What is stored for one kernel may be one array more for another that shares it.
    for (let before = -1; before !== this.#stored.size;) {
      before = this.#stored.size;
      for (const node of this.#order) this.#fitBindings(node);
    }
    const groups = this.#order.filter((node) => this.#stored.has(node)).map((root) => this.#groupOf(root));
    return { groups, isStored };
  }

  #isStored(node: Node): boolean {
    return node.primitive.kind === "buffer" || this.#stored.has(node);
  }

  #groupOf(root: Node): Group {
    const epilogue = this.#epilogues.get(root);
    return { root, core: epilogue?.core ?? root, epilogue: epilogue?.steps ?? [] };
  }

  #storeIfNecessary(node: Node): void {
    const { kind } = node.primitive;
    if (kind === "buffer") return;
    if (this.#outputs.has(node) || isCore(node)) this.#stored.add(node);
    const [x, y] = node.inputs;
    if (kind === "barrier" && x !== undefined && x === y) this.#storeUnlessFree(x);
    if (kind === "attention") this.#storeForAttention(node);
    if (kind !== "contraction") return;
    for (const operand of node.inputs) this.#storeUnlessFree(this.#behindViews(operand));
  }

  /** What it reads many times is stored; what is as many as the scores is not, lest memory grow with them. */
  #storeForAttention(node: Node): void {
    const { mask, factor } = pairInputs(node);
    const { queries, keys } = attentionOf(node);
    for (const operand of node.inputs) {
      if (operand !== mask && operand !== factor) this.#storeUnlessFree(this.#behindViews(operand));
      else if (elementCount(operand.shape) >= queries * keys) this.#perPair.add(operand);
    }
  }

  #storeUnlessFree(node: Node): void {
    const { kind } = node.primitive;
    if (kind !== "buffer" && kind !== "constant" && kind !== "iota") this.#stored.add(node);
  }

  /** What a contraction loads where it reads `node`: views and prologues are its own, unless they are stored themselves. */
  #behindViews(node: Node): Node {
    let base = node;
    while (!this.#stored.has(base)) {
      const source = isView(base) ? base.inputs[0] : prologueInput(base);
      if (source === undefined) break;
      base = source;
    }
    return base;
  }

  /** Moves the result of a core's kernel on, past the elementwise steps that nobody else shares. */
  #findEpilogue(core: Node): void {
    const steps: Node[] = [];
    let length = 0;
    for (let node = core; steps.length < EPILOGUE_MAX;) {
      const [reader, another] = this.#readers.get(node) ?? [];
      const isShared = this.#outputs.has(node) || (node !== core && this.#stored.has(node));
      if (isShared || reader === undefined || another !== undefined || this.#claimed.has(reader)) break;
      const isMove = reader.primitive.kind === "reshape" || reader.primitive.kind === "permute";
      if (!isMove && !isElementwise(reader)) break;
      if (core.primitive.kind === "contraction" && ownCost(reader) > TILE_STEP_COST_MAX) break;
      steps.push(reader);
      // Moves at the end are left to the readers; what is stored as it is has none.
      if (!isMove || this.#outputs.has(reader) || this.#stored.has(reader)) length = steps.length;
      node = reader;
    }
    const root = steps[length - 1];
    if (root === undefined) return;
    this.#stored.delete(core);
    this.#stored.add(root);
    this.#epilogues.set(root, { core, steps: steps.slice(0, length) });
    for (const node of [core, ...steps.slice(0, length)]) this.#claimed.add(node);
  }

  /** Readers first: by then it is known how often, and by how many ways, a node is evaluated. */
  #storeIfCheaper(): void {
    const costs = costsOf(this.#order, (node) => this.#isStored(node));
    const ways = new Map<Node, Ways>(this.#order.map((node) => [node, new Map()]));
    for (const node of [...this.#order].reverse()) {
      const own = ways.get(node) ?? new Map<string, number>();
      // What an expand repeats is smaller than the expand.
      const isPerPair = this.#perPair.has(node) && !this.#isStored(node);
      // As large as it is; what it repeats may be stored.
      if (isPerPair) for (const input of readInputs(node)) if (isAsLarge(input, node)) this.#perPair.add(input);
      if (!isPerPair && !this.#isStored(node) && !this.#claimed.has(node) && node.primitive.kind !== "expand") {
        const cost = costs.get(node) ?? 0;
        const isTangled = own.size > WAYS_MAX && !isTrivial(cost);
        if (isTangled || isWorthStoring(node, cost, sumOf(own))) this.#stored.add(node);
      }
      const id = String(this.#ids.get(node) ?? 0);
      const onward: Ways = this.#stored.has(node) ? new Map([[id, elementCount(node.shape)]]) : own;
      for (const [i, input] of readInputs(node).entries()) {
        const into = ways.get(input);
        for (const [key, visits] of onward) {
          const keepsIndex = isElementwise(node) || (node.primitive.kind === "gather" && i === 1);
          into?.set(keepsIndex ? key : `${key}.${id}`, visitsOfInputs(node, visits));
        }
      }
    }
  }

  #cutDeep(): void {
    const depths = new Map<Node, number>();
    for (const node of this.#order) {
      let depth = 0;
      for (const input of readInputs(node)) {
        if (!this.#isStored(input)) depth = Math.max(depth, (depths.get(input) ?? 0) + 1);
      }
      if (depth >= DEPTH_MAX && !this.#claimed.has(node)) this.#stored.add(node);
      depths.set(node, depth);
    }
  }

  /** Stores parts of what `root`'s kernel computes until the arrays that it binds are few enough. */
  #fitBindings(root: Node): void {
    const inputsMax = this.#bindingsMax - 1;
    while (this.#stored.has(root)) {
      const reads = this.#readsInside(root);
      const own = reads.get(root)?.size ?? 0;
      if (own <= inputsMax) return;
      const epilogue = this.#epilogues.get(root);
      if (epilogue !== undefined) {
        this.#epilogues.delete(root);
        this.#stored.add(epilogue.core);
        this.#fitBindings(epilogue.core);
        continue;
      }
      let best: Node | undefined;
      let most = 1;
      for (const [node, stored] of reads) {
        if (node === root || stored.size > inputsMax || stored.size <= most) continue;
        best = node;
        most = stored.size;
      }
      assert(best !== undefined, `planSchedule: expected a part that reads less than ${own} arrays`);
      this.#stored.add(best);
    }
  }

  /** For each node that `root`'s kernel computes, the stored nodes that it reads. */
  #readsInside(root: Node): Map<Node, Set<Node>> {
    const inside: Node[] = [];
    const seen = new Set<Node>([root]);
    const stack = [root];
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      inside.push(node);
      for (const input of readInputs(node)) {
        if (this.#isStored(input) || seen.has(input)) continue;
        seen.add(input);
        stack.push(input);
      }
    }
    inside.sort((a, b) => (this.#ids.get(a) ?? 0) - (this.#ids.get(b) ?? 0));
    const reads = new Map<Node, Set<Node>>();
    for (const node of inside) {
      const own = new Set<Node>();
      for (const input of readInputs(node)) {
        if (this.#isStored(input)) own.add(input);
        else for (const read of reads.get(input) ?? []) own.add(read);
      }
      reads.set(node, own);
    }
    return reads;
  }
}

function isAsLarge(input: Node, node: Node): boolean {
  return elementCount(input.shape) >= elementCount(node.shape);
}

function sumOf(ways: Ways): number {
  let sum = 0;
  for (const visits of ways.values()) sum += visits;
  return sum;
}

/**
 * What `node` is made of in one step that needs no other array: widening, a sign, or a constant that scales, shifts or
 * limits. That costs less where it is loaded, each time, than an array more.
 */
function prologueInput({ primitive, inputs }: Node): Node | undefined {
  const [x, y] = inputs;
  if (x === undefined) return undefined;
  if (primitive.kind === "cast") return x.dtype === "float16" ? x : undefined;
  if (primitive.kind === "unary") return primitive.fn === "negate" || primitive.fn === "abs" ? x : undefined;
  if (primitive.kind !== "binary" || y === undefined || !PROLOGUES.has(primitive.fn)) return undefined;
  return isFilled(y) ? x : isFilled(x) ? y : undefined;
}

const PROLOGUES: ReadonlySet<string> = new Set(["add", "subtract", "multiply", "minimum", "maximum"]);

/** True for a constant, or one that views repeat. */
function isFilled(node: Node): boolean {
  let base = node;
  for (let [source] = base.inputs; source !== undefined && isView(base); [source] = base.inputs) base = source;
  return base.primitive.kind === "constant";
}

/** True for what takes a loop in a kernel of its own. */
function isCore({ primitive: { kind } }: Node): boolean {
  return (
    kind === "reduce" || kind === "scan" || kind === "scatterAdd" || kind === "contraction" || kind === "attention"
  );
}

function hasEpilogue({ primitive: { kind } }: Node): boolean {
  return kind === "reduce" || kind === "scan" || kind === "contraction";
}

/** True for nodes that read each input at the index that they are read at. */
function isElementwise({ primitive: { kind } }: Node): boolean {
  return kind === "unary" || kind === "binary" || kind === "select" || kind === "cast" || kind === "bitcast";
}

/** How many elements of its inputs are evaluated when `visits` elements of `node` are. */
function visitsOfInputs(node: Node, visits: number): number {
  const { primitive, inputs } = node;
  const [x] = inputs;
  if (x === undefined) return visits;
  switch (primitive.kind) {
    case "reduce":
    case "scan":
      return elementCount(x.shape);
    case "scatterAdd": {
      const { axis } = primitive;
      const scatter = { type: "f32", shape: x.shape, axis, size: node.shape[axis] ?? 1 } as const;
      return isByLine(scatter) ? elementCount(x.shape) : elementCount(node.shape) * (x.shape[axis] ?? 1);
    }
    case "attention": {
      const { batch, group, queries, keys } = attentionOf(node);
      return batch * group * queries * keys;
    }
    default:
      return visits;
  }
}
