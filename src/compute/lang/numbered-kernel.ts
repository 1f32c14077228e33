/** A kernel as `numbering.ts` leaves it: distinct values, and statements over them. What placing and printing work on. */
import type { ArrayPlace } from "./array-place.ts";
import type { Interval } from "./interval.ts";
import type { BuiltInName, Expr, SubgroupOp } from "./kernel.ts";

/** A block of statements. Its `parentIndex` is the place of the statement that holds it. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly parentIndex: number;
  readonly depth: number;
  /** What is computed here may be computed before: it runs any number of times, not only under a condition. */
  readonly isLoop: boolean;
  /** The condition around it that lanes of a workgroup may see differently, in words; undefined where they all agree. */
  readonly divergence: string | undefined;
}

/** A statement's place. */
export interface Site {
  readonly scope: Scope;
  readonly index: number;
}

/** A distinct expression. Operands have lower ids. */
export interface Value {
  readonly id: number;
  /** One expression of this value: for its kind, type and operator. */
  readonly expr: Expr;
  readonly operands: readonly Value[];
  readonly range: Interval;
  readonly isVolatile: boolean;
  /** The same for all lanes of a workgroup, as far as WGSL can tell. */
  readonly isUniform: boolean;
  /** What a load loads from. */
  readonly array: ArrayPlace | undefined;
  /** Of a load in a vector access: the whole vector, at its index, or one component of its operand. */
  readonly vector: "whole" | number | undefined;
  /** The outermost scope where it can be computed. */
  readonly home: Scope;
  /** Where statements use it. */
  readonly uses: Site[];
  /** Where a `let` names it: it is computed there or further out, not under a later condition. */
  readonly pins: Site[];
  /** Must be a name when printed, since its text appears more than once. */
  isNamed: boolean;
}

export type Line =
  | { readonly kind: "define"; readonly name: string; readonly value: Value; readonly isMutable: boolean }
  | { readonly kind: "assign"; readonly name: string; readonly value: Value }
  | { readonly kind: "for"; readonly name: string; readonly from: Value; readonly to: Value; readonly body: Block }
  | { readonly kind: "if"; readonly condition: Value; readonly body: Block }
  /** One value; or those of a whole vector, at its index. */
  | { readonly kind: "store"; readonly array: ArrayPlace; readonly index: Value; readonly values: readonly Value[] }
  | { readonly kind: "array"; readonly array: ArrayPlace }
  | { readonly kind: "barrier" }
  | {
      readonly kind: "subgroup";
      readonly op: SubgroupOp;
      readonly name: string;
      readonly value: Value;
      readonly mask: number;
      readonly lane: number;
    }
  /** Once for each invocation: a loop, or a thread. */
  | { readonly kind: "each"; readonly body: Block }
  /** A statement that prints as nothing, to keep the places of the others. */
  | { readonly kind: "nothing" };

export interface Block {
  readonly scope: Scope;
  readonly lines: readonly Line[];
}

export interface NumberedKernel {
  readonly root: Block;
  /** In order of id. */
  readonly values: readonly Value[];
  /** Those that the body uses. */
  readonly builtIns: ReadonlySet<BuiltInName>;
}

/** True where an index is known to be inside an array. */
export function isInside(index: Value, array: ArrayPlace): boolean {
  return index.range.min >= 0 && index.range.max < array.length;
}
