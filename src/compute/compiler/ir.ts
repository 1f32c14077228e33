/**
 * The graph: one node type. Ops lower to this small closed set of primitives; the compiler sees through all of them,
 * and a device runs only kernels generated from them. The table with shapes and semantics is in ARCHITECTURE.md.
 *
 * Nodes are immutable and shared; a node's shape is concrete. Views (reshape, permute, expand, slice, window) move no
 * bytes: they become index arithmetic in whoever reads them.
 */
import type { DType } from "../layout/dtype.ts";

/** Sizes, outermost first. A scalar's is []. */
export type Shape = readonly number[];

export type UnaryFunction =
  | "negate" | "not" | "abs" | "sign" | "floor" | "ceil" | "round" | "trunc"
  | "exp" | "log" | "sqrt" | "sin" | "cos" | "tanh" | "erf"; // prettier-ignore

export type BinaryFunction =
  | "add" | "subtract" | "multiply" | "divide" | "remainder" | "power" | "minimum" | "maximum"
  | "less" | "lessEqual" | "equal" | "notEqual" | "and" | "or"; // prettier-ignore

export type ReduceFunction = "sum" | "maximum" | "minimum" | "product";

/** What `random` makes of the words: the word itself (uint32), or a standard normal or exponential number (float32). */
export type Distribution = "bits" | "normal" | "exponential";

/** What a node computes from its inputs x, y, z (all shapes include every axis; broadcasting is an `expand`). */
export type Primitive =
  /** Bytes that already are on a device, or arrive before the plan runs. No inputs. */
  | { readonly kind: "buffer" }
  /** `value` everywhere. No inputs. */
  | { readonly kind: "constant"; readonly value: number }
  /** out[i] = i along `axis` (int32). No inputs. */
  | { readonly kind: "iota"; readonly axis: number }
  /** Of the words of Philox4x32-10: counter = the element's row-major index, key = the two uint32 of x. */
  | { readonly kind: "random"; readonly distribution: Distribution }
  | { readonly kind: "unary"; readonly fn: UnaryFunction }
  /** Same shapes and dtypes; comparisons give bool. */
  | { readonly kind: "binary"; readonly fn: BinaryFunction }
  /** x ? y : z, with x bool. */
  | { readonly kind: "select" }
  /** To the node's dtype; float to int truncates, anything to bool is x != 0. */
  | { readonly kind: "cast" }
  /** The bits of x as the node's dtype: float32, int32 or uint32. */
  | { readonly kind: "bitcast" }
  | { readonly kind: "reshape" }
  /** out axis i is x axis order[i]. */
  | { readonly kind: "permute"; readonly order: readonly number[] }
  /** Axes of size 1 repeated to the node's shape; ranks are equal. */
  | { readonly kind: "expand" }
  /** out[i] = x[start + i * step] on each axis; steps may be negative. */
  | { readonly kind: "slice"; readonly starts: readonly number[]; readonly steps: readonly number[] }
  /** `value` with x[i] at low + i * (interior + 1) on each axis. */
  | {
      readonly kind: "pad";
      readonly low: readonly number[];
      readonly interior: readonly number[];
      readonly value: number;
    }
  /** Sliding windows over `axis`: it becomes the number of windows, and a last axis of `size` is appended: out[.., o, .., k] = x[.., o * stride + k * dilation, ..]. */
  | {
      readonly kind: "window";
      readonly axis: number;
      readonly size: number;
      readonly stride: number;
      readonly dilation: number;
    }
  /** Over `axes`, which keep size 1. Sums of float32 accumulate in float32, in index order. */
  | { readonly kind: "reduce"; readonly fn: ReduceFunction; readonly axes: readonly number[] }
  /** Inclusive running sum or product along `axis`. */
  | { readonly kind: "scan"; readonly fn: "sum" | "product" | "maximum"; readonly axis: number }
  /** out[p] = x[p with p[axis] := y[p]]; y is int32 with the output's shape; indices are clamped into x. */
  | { readonly kind: "gather"; readonly axis: number }
  /** out[q] = sum of x[p] over p with y[p] = q[axis] and p = q elsewhere; y is int32 with x's shape. In index order, so the same bits every time. */
  | { readonly kind: "scatterAdd"; readonly axis: number }
  /**
   * x, told apart from x: what is computed from it is not merged with what was computed from x, and comes after y in a
   * plan. y is not read. For recomputation instead of storage. If y is x, x is stored: for storage instead of
   * recomputation.
   */
  | { readonly kind: "barrier"; readonly id: number }
  /** x [B, M, K] times y [B, K, N] -> [B, M, N], accumulated in float32. */
  | { readonly kind: "contraction" }
  /** softmax(scale q k^T + mask) v or one of its gradients, without the scores: see `attention.ts`. */
  | AttentionPrimitive;

export interface AttentionPrimitive {
  readonly kind: "attention";
  readonly part: "forward" | "gradQuery" | "gradKeyValue" | "gradMask";
  readonly scale: number;
  /** Query t sees the keys 0 to t + offset only. */
  readonly causal: boolean;
  readonly offset: number;
  /** Which of the two last inputs are there. */
  readonly hasMask: boolean;
  readonly hasFactor: boolean;
}

/** A value in the graph. */
export interface Node {
  readonly primitive: Primitive;
  readonly inputs: readonly Node[];
  readonly shape: Shape;
  readonly dtype: DType;
}

/** The inputs whose elements `node` reads: all but what a barrier waits for. */
export function readInputs(node: Node): readonly Node[] {
  return node.primitive.kind === "barrier" ? node.inputs.slice(0, 1) : node.inputs;
}
