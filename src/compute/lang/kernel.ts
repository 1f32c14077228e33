/**
 * The kernel language: what a device runs, as data.
 *
 * A kernel is a grid of independent invocations over bound arrays. Its body is a tree of typed expressions and
 * statements: TypeScript values are constants, tree nodes are code. Each target prints the same tree: WGSL for WebGPU
 * (`device/webgpu`), JavaScript for the reference device. So every kernel has an oracle. `build.ts` and `statements.ts`
 * make nodes.
 *
 * Workgroup storage, barriers and subgroups are not here yet: on software adapters they cost more than they give.
 */

/** Types of values inside a kernel. A stored bool is a u32. */
export type ScalarType = "f32" | "i32" | "u32" | "bool";

/**
 * Types of array elements. An f16 is loaded as the f32 of its value; what is stored must be the f32 of some f16
 * (`build.roundToF16`), so that no device's own rounding matters.
 */
export type StoredType = "f32" | "f16" | "i32" | "u32";

/** The type of a value that is loaded from or stored into an array of `type`. */
export function valueTypeOf(type: StoredType): "f32" | "i32" | "u32" {
  return type === "f16" ? "f32" : type;
}

/** Bytes of an array of `length` elements. */
export function bytesOfArray(type: StoredType, length: number): number {
  return length * (type === "f16" ? 2 : 4);
}

export type UnaryOp =
  | "negate" | "not" | "abs" | "sign" | "floor" | "ceil" | "round" | "trunc"
  | "exp" | "log" | "sqrt" | "sin" | "cos" | "tanh" | "erf"; // prettier-ignore

export type BinaryOp =
  | "add" | "subtract" | "multiply" | "divide" | "remainder" | "power" | "minimum" | "maximum"
  | "less" | "lessEqual" | "equal" | "notEqual"
  | "and" | "or" | "xor" | "shiftLeft" | "shiftRight" | "multiplyHigh"; // prettier-ignore

/**
 * A typed expression without side effects.
 *
 * Integers wrap modulo 2^32; integer division and remainder truncate toward zero, x / 0 is x and x % 0 is 0;
 * `multiplyHigh` (u32) is the upper word of the 64-bit product; shifts count modulo 32. `power` of a negative f32 takes
 * whole exponents. `load` clamps its index into the array: a negative one reads element 0. `select` evaluates both
 * branches. `bitcast` keeps the bits, `cast` converts (f32 to integers truncates and saturates).
 * Devices may add floats in another order, flush subnormals, ignore the sign of zero, and compute anything from NaN.
 */
export type Expr =
  | { readonly kind: "constant"; readonly type: ScalarType; readonly value: number | boolean }
  | { readonly kind: "variable"; readonly type: ScalarType; readonly name: string }
  | { readonly kind: "unary"; readonly type: ScalarType; readonly op: UnaryOp; readonly x: Expr }
  | { readonly kind: "binary"; readonly type: ScalarType; readonly op: BinaryOp; readonly a: Expr; readonly b: Expr }
  | {
      readonly kind: "select";
      readonly type: ScalarType;
      readonly condition: Expr;
      readonly yes: Expr;
      readonly no: Expr;
    }
  | { readonly kind: "cast"; readonly type: ScalarType; readonly x: Expr }
  | { readonly kind: "bitcast"; readonly type: ScalarType; readonly x: Expr }
  | { readonly kind: "load"; readonly type: ScalarType; readonly binding: number; readonly index: Expr };

/**
 * `let` names an immutable value, `var` a mutable one; names are unique in a kernel. A `for` counts an i32 upward, and
 * evaluates its bounds once. A `store` outside its array stores nothing.
 */
export type Statement =
  | { readonly kind: "let"; readonly name: string; readonly value: Expr }
  | { readonly kind: "var"; readonly name: string; readonly value: Expr }
  | { readonly kind: "assign"; readonly name: string; readonly value: Expr }
  | {
      readonly kind: "for";
      readonly name: string;
      readonly from: Expr;
      readonly to: Expr;
      readonly body: readonly Statement[];
    }
  | { readonly kind: "if"; readonly condition: Expr; readonly body: readonly Statement[] }
  | { readonly kind: "store"; readonly binding: number; readonly index: Expr; readonly value: Expr };

/** One array a kernel sees. No array is bound twice in a dispatch when one of the bindings writes. */
export interface Binding {
  readonly type: StoredType;
  readonly access: "read" | "write" | "readWrite";
  /** Elements. */
  readonly length: number;
  /** Of one that is read: its memory is part of a buffer that the kernel writes elsewhere, which WebGPU wants to know. */
  readonly isShared?: boolean;
  /**
   * Of one that is read: the binding whose memory it is too, and whose writes it need not see. So loads keep their
   * places, which those of a written binding do not.
   */
  readonly aliasOf?: number;
}

/** A whole kernel. `body` may use the i32 variable `INVOCATION`, which runs from 0 to `invocations` - 1. */
export interface Kernel {
  /** For people and profiles: says what it computes, not how. */
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly invocations: number;
  readonly body: readonly Statement[];
}

/** The variable that holds the invocation's number. */
export const INVOCATION: Expr = { kind: "variable", type: "i32", name: "invocation" };
