/** The accesses of a kernel that are done as vectors of four: what `vectorize.ts` finds, and printers are told. */
import type { Expr, Statement } from "./kernel.ts";

/** Elements of a vector. */
export const VECTOR = 4;

/** An element of a vector: number `component` of vector `index`. */
export interface VectorElement {
  readonly index: Expr;
  readonly component: number;
}

export interface VectorAccess {
  /** Those to be seen as arrays of vectors; their lengths are multiples of `VECTOR`. */
  readonly bindings: ReadonlySet<number>;
  /** The same for arrays of the workgroup. */
  readonly shared: ReadonlySet<number>;
  /** The loads from bindings that are elements of a vector of which all are loaded. */
  readonly loads: ReadonlyMap<Expr, VectorElement>;
  /** The lets of elements of the workgroup's vectors: four that follow one another, by the first of them. */
  readonly lets: ReadonlyMap<Statement, { readonly first: Statement } & VectorElement>;
  /** By the first store of each four: the vector's index, and the stores of its components, in order. */
  readonly stores: ReadonlyMap<Statement, { readonly index: Expr; readonly parts: readonly Store[] }>;
  /** Stores that are done with the first of their four. */
  readonly merged: ReadonlySet<Statement>;
}

/** Every access for itself. */
export const NO_VECTORS: VectorAccess = {
  bindings: new Set(),
  shared: new Set(),
  loads: new Map(),
  lets: new Map(),
  stores: new Map(),
  merged: new Set(),
};

/** A store that may be a part of a vector's. */
export type Store = Statement & { readonly kind: "store" | "storeShared" };
