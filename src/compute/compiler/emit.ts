/**
 * Index pushing: the value of a node at an index, as an expression over the arrays that a kernel binds.
 *
 * Elementwise nodes pass the index on to their inputs, views change it, and stored nodes are loaded. So a chain of
 * them, whatever its length, is arithmetic inside the kernel that reads its end.
 */
import { assert, present } from "../../base/assert.ts";
import * as build from "../lang/build.ts";
import { exponential, normal } from "../lang/distributions.ts";
import { constant } from "../lang/expr.ts";
import { valueTypeOf, type Expr, type ScalarType, type StoredType } from "../lang/kernel.ts";
import { philox } from "../lang/philox.ts";
import { roundToF16 } from "../lang/round-to-f16.ts";
import { sumExpr, termsOf, type Term } from "../lang/sum.ts";
import { sameExpr } from "../lang/walk.ts";
import { flatten, type Index, type Loops } from "../kernels/grid.ts";
import type { DType } from "../layout/dtype.ts";
import { scalarTypeOf } from "./fold.ts";
import type { Distribution, Node, Shape } from "./ir.ts";
import { indexBehindPad, indexBehindView, isView } from "./views.ts";

/** The type of a stored element: a bool is a u32. */
export function storedTypeOf(node: Node): StoredType {
  if (node.dtype === "float16") return "f16";
  const type = scalarTypeOf(node.dtype);
  return type === "bool" ? "u32" : type;
}

/** `value` as it is stored. */
export function storedForm(value: Expr): Expr {
  return value.type === "bool" ? build.cast("u32", value) : value;
}

/** Emits the values that one kernel reads, and collects the arrays that it has to bind for that. */
export class Emitter {
  readonly #isStored: (node: Node) => boolean;
  readonly #loops: Loops;
  readonly #firstBinding: number;
  readonly #stored: Node[] = [];
  readonly #known = new Map<Node, { readonly index: Index; readonly value: Expr }[]>();
  #missing: Node | undefined;

  /** `isStored` tells which nodes are in an array; those that are read get bindings from `firstBinding` on. */
  constructor(isStored: (node: Node) => boolean, loops: Loops, firstBinding: number) {
    this.#isStored = isStored;
    this.#loops = loops;
    this.#firstBinding = firstBinding;
  }

  /** The stored nodes that the emitted values read, in the order of their bindings. */
  get stored(): readonly Node[] {
    return this.#stored;
  }

  /** A reduction, scan or product that was read where it is not known: what has been emitted is no kernel. */
  get missing(): Node | undefined {
    return this.#missing;
  }

  /** How many different places `node` was computed at. */
  placesOf(node: Node): number {
    return this.#known.get(node)?.length ?? 0;
  }

  /** The value of `node` at `index`, which has an entry an axis. */
  emit(node: Node, index: Index): Expr {
    const at = withoutUnits(index, node.shape);
    const known = this.#known.get(node)?.find((entry) => sameIndex(entry.index, at));
    if (known !== undefined) return known.value;
    const value = this.#isStored(node) ? this.#load(node, at) : this.#compute(node, at);
    this.#keep(node, at, value);
    return value;
  }

  /** Makes `value` what `emit(node, index)` gives: the result of a loop, for what is computed from it. */
  provide(node: Node, index: Index, value: Expr): void {
    this.#keep(node, withoutUnits(index, node.shape), value);
  }

  #keep(node: Node, index: Index, value: Expr): void {
    const entries = this.#known.get(node) ?? [];
    this.#known.set(node, entries);
    entries.push({ index, value });
  }

  #compute(node: Node, index: Index): Expr {
    const { primitive } = node;
    const input = (i: number): Expr => this.emit(inputAt(node, i), index);
    switch (primitive.kind) {
      case "constant":
        return constant(scalarTypeOf(node.dtype), node.dtype === "bool" ? primitive.value !== 0 : primitive.value);
      case "iota":
        return index[primitive.axis] ?? build.i32(0);
      case "random":
        return this.#random(node, index, primitive.distribution);
      case "unary":
        return build.unary(primitive.fn, input(0));
      case "binary":
        return build.binary(primitive.fn, input(0), input(1));
      case "select":
        return build.select(input(0), input(1), input(2));
      case "cast":
        return castTo(node.dtype, input(0));
      case "bitcast":
        return build.bitcast(scalarTypeOf(node.dtype), input(0));
      case "pad":
        return this.#pad(node, index, primitive.value);
      case "gather":
        return this.#gather(node, index, primitive.axis);
      case "buffer":
      case "reduce":
      case "scan":
      case "scatterAdd":
      case "contraction":
      case "attention":
        this.#missing ??= node;
        return constant(scalarTypeOf(node.dtype), node.dtype === "bool" ? false : 0);
      default: {
        assert(isView(node), `emit: expected a view, found ${primitive.kind}`);
        const [source] = node.inputs;
        assert(source !== undefined, `emit: expected the input of a ${primitive.kind}`);
        return this.emit(source, indexBehindView(node, source.shape, index));
      }
    }
  }

  #random(node: Node, index: Index, distribution: Distribution): Expr {
    const key = inputAt(node, 0);
    const counter = build.cast("u32", flatten(index, node.shape));
    const zero = build.u32(0);
    const words = [this.emit(key, [build.i32(0)]), this.emit(key, [build.i32(1)])] as const;
    const [first, second] = philox([counter, zero, zero, zero], words);
    switch (distribution) {
      case "bits":
        return first;
      case "normal":
        return normal(first, second);
      case "exponential":
        return exponential(first);
    }
  }

  #pad(node: Node, index: Index, value: number): Expr {
    const source = inputAt(node, 0);
    const behind = indexBehindPad(node, source.shape, index);
    const outside = constant(scalarTypeOf(node.dtype), node.dtype === "bool" ? value !== 0 : value);
    if (behind.isInside.kind === "constant" && behind.isInside.value === false) return outside;
    return build.select(behind.isInside, this.emit(source, behind.index), outside);
  }

  #gather(node: Node, index: Index, axis: number): Expr {
    const source = inputAt(node, 0);
    const last = build.i32((source.shape[axis] ?? 1) - 1);
    const picked = this.emit(inputAt(node, 1), index);
    const clamped = build.minimum(build.maximum(picked, build.i32(0)), last);
    return this.emit(source, index.map((at, i) => (i === axis ? clamped : at))); // prettier-ignore
  }

  #load(node: Node, index: Index): Expr {
    let binding = this.#stored.indexOf(node);
    if (binding < 0) binding = this.#stored.push(node) - 1;
    const type: ScalarType = valueTypeOf(storedTypeOf(node));
    const at = this.#outermostFirst(flatten(index, node.shape));
    const loaded = build.load(this.#firstBinding + binding, at, type);
    return node.dtype === "bool" ? build.notEqual(loaded, build.u32(0)) : loaded;
  }

  /** The same sum, with what changes in outer loops added up first: then inner loops have less to do. */
  #outermostFirst(index: Expr): Expr {
    const sum = termsOf(index, "deep");
    if (sum === undefined) return index;
    const byDepth: Term[][] = [];
    for (const term of sum.terms) (byDepth[this.#loops.depthOf(term.x)] ??= []).push(term);
    const groups = byDepth.filter((terms) => terms.length > 0);
    if (groups.length < 2) return index;
    const parts = groups.map((terms, i) => sumExpr("i32", { terms, offset: i === 0 ? sum.offset : 0 }));
    return parts.reduce((total, part) => build.add(total, part));
  }
}

/** `value` converted; a float16 is the f32 of its value. */
function castTo(dtype: DType, value: Expr): Expr {
  const converted = build.cast(scalarTypeOf(dtype), value);
  return dtype === "float16" ? roundToF16(converted) : converted;
}

function inputAt(node: Node, i: number): Node {
  return present(node.inputs[i], `emit: input ${i} of a ${node.primitive.kind}`);
}

const ZERO = build.i32(0);

/** There is only one place on an axis of size 1, whatever expression led there. */
function withoutUnits(index: Index, shape: Shape): Index {
  return index.map((at, axis) => (shape[axis] === 1 ? ZERO : at));
}

function sameIndex(a: Index, b: Index): boolean {
  return a.every((at, axis) => sameExpr(at, b[axis] ?? at));
}
