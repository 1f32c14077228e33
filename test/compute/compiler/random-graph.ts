/**
 * Random graphs of all primitives over small shapes. Float values stay small, and no step jumps: what is compared or
 * rounded are integers and leaves, so that devices that round differently still agree.
 */
import type { Random } from "../../../src/base/random.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { BinaryFunction, Node, ReduceFunction, Shape } from "../../../src/compute/compiler/ir.ts";
import { inTopologicalOrder } from "../../../src/compute/compiler/walk-graph.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import type { Leaves } from "./devices.ts";
import { REDUNDANCIES } from "./redundancies.ts";

const ELEMENTS_MAX = 600;
const RANK_MAX = 5;

/** What makes leaves. */
export type LeafMaker = Pick<Leaves, "of" | "floats" | "integers">;

/** `steps` nodes, each computed from earlier ones; the result has some of the last, and one of every dtype. */
export function randomGraph(random: Random, leaves: LeafMaker, steps: number): Node[] {
  const nodes = new Growth(random, leaves).grow(steps);
  const each = (["float32", "int32", "uint32", "bool"] as const).map((dtype) => nodes.findLast((x) => x.dtype === dtype)); // prettier-ignore
  return [...nodes.slice(-8), ...each.filter((node) => node !== undefined)];
}

/** As `randomGraph`; the result has all nodes that none was computed from, so that all steps are in the graph. */
export function wholeRandomGraph(random: Random, leaves: LeafMaker, steps: number): Node[] {
  const nodes = new Growth(random, leaves).grow(steps);
  const read = new Set(inTopologicalOrder(nodes).flatMap(({ inputs }) => inputs));
  return nodes.filter((node) => !read.has(node));
}

class Growth {
  readonly #random: Random;
  readonly #leaves: LeafMaker;
  readonly #nodes: Node[] = [];

  constructor(random: Random, leaves: LeafMaker) {
    this.#random = random;
    this.#leaves = leaves;
  }

  grow(steps: number): Node[] {
    for (let i = 0; i < 4; i++) this.#nodes.push(this.#leaves.floats(this.#random, this.#shape()));
    for (let i = 0; i < 2; i++) this.#nodes.push(this.#leaves.integers(this.#random, this.#shape(), -5, 9));
    while (this.#nodes.length < steps) {
      const next = this.#step();
      const isFit = next !== undefined && elementCount(next.shape) <= ELEMENTS_MAX && next.shape.length <= RANK_MAX;
      if (isFit) this.#nodes.push(next);
    }
    return this.#nodes;
  }

  #shape(): number[] {
    return Array.from({ length: 1 + this.#random.below(3) }, () => 1 + this.#random.below(6));
  }

  #any(dtype?: Node["dtype"]): Node {
    // The newer ones more often, so that graphs grow deep.
    const fitting = this.#nodes.filter((node) => dtype === undefined || node.dtype === dtype);
    const from = this.#random.below(2) === 0 ? Math.max(0, fitting.length - 6) : 0;
    return this.#random.pick(fitting.slice(from));
  }

  #axis(x: Node): number {
    return this.#random.below(x.shape.length);
  }

  /** Another node brought to `shape`, by whatever views that takes; or a new leaf. */
  #shaped(shape: Shape, dtype: "float32" | "int32"): Node {
    const x = this.#any(dtype);
    const count = elementCount(shape);
    if (elementCount(x.shape) === count) return graph.reshape(x, shape);
    if (elementCount(x.shape) > count && this.#random.below(2) === 0) {
      const flat = graph.reshape(x, [elementCount(x.shape)]);
      const start = this.#random.below(elementCount(x.shape) - count + 1);
      return graph.reshape(graph.slice(flat, [start], [count]), shape);
    }
    if (this.#random.below(2) === 0 && x.shape.length === shape.length) {
      const kept = shape.map((size, axis) => (x.shape[axis] === size ? size : 1));
      const first = graph.slice(x, shape.map(() => 0), kept); // prettier-ignore
      return graph.expand(first, shape);
    }
    return dtype === "float32"
      ? this.#leaves.floats(this.#random, shape)
      : this.#leaves.integers(this.#random, shape, -5, 9);
  }

  /** x of any size, brought back to about [-1, 1]; integers to [0, 11). */
  #small(x: Node): Node {
    if (x.dtype === "float32") return graph.unary(this.#random.pick(["tanh", "sin"]), x);
    if (x.dtype === "int32") return graph.binary("remainder", x, graph.constant(11, x.shape, "int32"));
    return x;
  }

  #step(): Node | undefined {
    const kinds = [
      this.#elementwise,
      this.#view,
      this.#view,
      this.#logic,
      this.#loop,
      this.#indexed,
      this.#source,
      this.#stored,
      this.#redundant,
      this.#redundant,
      this.#again,
    ];
    return this.#random.pick(kinds).call(this);
  }

  #elementwise(): Node {
    const random = this.#random;
    const x = this.#any(random.below(3) === 0 ? "int32" : "float32");
    const y = this.#shaped(x.shape, x.dtype === "int32" ? "int32" : "float32");
    if (x.dtype === "int32") {
      const fn = random.pick<BinaryFunction>(["add", "subtract", "multiply", "divide", "remainder", "minimum", "and", "or"]); // prettier-ignore
      return random.below(4) === 0 ? graph.cast(x, "float32") : this.#small(graph.binary(fn, x, y));
    }
    switch (random.below(6)) {
      case 0:
        return graph.unary(random.pick(["negate", "abs", "sin", "cos", "tanh", "erf"] as const), x);
      case 1:
        return graph.unary("exp", this.#small(x));
      case 2:
        return graph.binary("divide", x, graph.unary("exp", this.#small(y)));
      case 3:
        return graph.unary(random.pick(["floor", "round", "sign"] as const), this.#leaves.floats(random, x.shape));
      default:
        return graph.binary(random.pick(["add", "subtract", "multiply", "maximum"] as const), this.#small(x), y);
    }
  }

  #view(): Node {
    const random = this.#random;
    const x = this.#any();
    const axis = this.#axis(x);
    const size = x.shape[axis] ?? 1;
    const along = (value: number, other: number): number[] => x.shape.map((_, i) => (i === axis ? value : other));
    switch (random.below(6)) {
      case 0:
        return graph.permute(x, random.shuffle(x.shape.map((_, i) => i)));
      case 1:
        return graph.reshape(x, random.below(2) === 0 ? [elementCount(x.shape)] : [...x.shape, 1].reverse());
      case 2:
        return graph.slice(x, along(size - 1, 0), x.shape, along(-1, 1));
      case 3: {
        const value = x.dtype === "bool" ? 1 : random.below(3);
        const [low, high] = [random.below(3), random.below(3)];
        return graph.pad(x, { low: along(low, 0), high: along(high, 0), interior: along(random.below(2), 0), value });
      }
      case 4:
        return graph.window(x, axis, 1 + random.below(size), 1 + random.below(2));
      default:
        return graph.expand(graph.reshape(x, [1, ...x.shape]), [1 + random.below(3), ...x.shape]);
    }
  }

  #logic(): Node {
    const random = this.#random;
    const x = this.#any("int32");
    const y = this.#shaped(x.shape, "int32");
    const condition = graph.binary(random.pick(["less", "lessEqual", "equal", "notEqual"] as const), x, y);
    if (random.below(2) === 0) return random.below(2) === 0 ? condition : graph.unary("not", condition);
    const a = this.#shaped(x.shape, "float32");
    return graph.select(condition, a, this.#shaped(x.shape, "float32"));
  }

  #loop(): Node {
    const random = this.#random;
    const x = this.#any(random.below(3) === 0 ? "int32" : "float32");
    const axes = x.shape.map((_, axis) => axis).filter(() => random.below(2) === 0);
    if (random.below(3) === 0) {
      const rows = 1 + random.below(6);
      const inner = 1 + random.below(9);
      const a = this.#shaped([2, rows, inner], "float32");
      return this.#small(graph.contraction(a, this.#shaped([2, inner, 1 + random.below(6)], "float32")));
    }
    if (random.below(2) === 0)
      return this.#small(graph.scan(random.pick(["sum", "maximum"] as const), x, this.#axis(x)));
    return this.#small(graph.reduce(random.pick<ReduceFunction>(["sum", "maximum", "minimum"]), x, axes));
  }

  #indexed(): Node {
    const random = this.#random;
    const x = this.#any("float32");
    const axis = this.#axis(x);
    if (random.below(2) === 0) {
      const shape = x.shape.map((size, i) => (i === axis ? 1 + random.below(6) : size));
      return graph.gather(x, this.#shaped(shape, "int32"), axis);
    }
    return this.#small(graph.scatterAdd(x, this.#shaped(x.shape, "int32"), axis, 1 + random.below(6)));
  }

  /** What is stored in another way, or apart. */
  #stored(): Node {
    const random = this.#random;
    const x = this.#any();
    switch (random.below(4)) {
      case 0:
        // What it waits for is read too: by x, or by those who read x stored.
        return graph.barrier(x, random.below(2) === 0 ? x : (x.inputs[0] ?? x));
      case 1:
        return graph.cast(graph.cast(this.#leaves.floats(random, this.#shape()), "float16"), "float32");
      case 2: {
        const words = graph.cast(this.#any("int32"), "uint32");
        return graph.binary(random.pick(["add", "multiply", "divide", "remainder", "and", "or", "maximum"] as const), words, graph.constant(1 + random.below(9), words.shape, "uint32")); // prettier-ignore
      }
      default:
        return graph.bitcast(graph.cast(this.#any("int32"), "uint32"), "int32");
    }
  }

  #redundant(): Node | undefined {
    const x = this.#any();
    return x.shape.length === 0 ? undefined : this.#small(this.#random.pick(REDUNDANCIES)(x, this.#random));
  }

  /** A node that is there already, made once more. */
  #again(): Node | undefined {
    const node = this.#any();
    return node.primitive.kind === "barrier" || node.inputs.length === 0 ? undefined : graph.remake(node, node.inputs);
  }

  #source(): Node {
    const shape = this.#shape();
    switch (this.#random.below(3)) {
      case 0:
        return graph.iota(shape, this.#random.below(shape.length));
      case 1:
        return graph.constant(this.#random.uniform(), shape, "float32");
      default: {
        const key = this.#leaves.of([2], "uint32", [this.#random.uint32(), this.#random.uint32()]);
        return graph.random(key, shape);
      }
    }
  }
}
