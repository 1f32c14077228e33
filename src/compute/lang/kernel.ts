/**
 * The kernel language: what a device runs, as data.
 *
 * A kernel is a grid of invocations over bound arrays. Its body is a tree of typed expressions and statements:
 * TypeScript values are constants, tree nodes are code. Each target prints the same tree: WGSL for WebGPU
 * (`device/webgpu`), WebAssembly for processors (`device/wasm`), JavaScript for the reference device. So every kernel has
 * an oracle. `build.ts` and `statements.ts`
 * make nodes.
 *
 * Invocations are independent unless the kernel has a `workgroup`: then its lanes share arrays, wait for each other at
 * barriers, and exchange values within subgroups. On software adapters that costs more than it gives; on GPUs it is
 * the other way round.
 */

/** Types of values inside a kernel. A stored bool is a u32. */
export type ScalarType = "f32" | "i32" | "u32" | "bool";

/**
 * Types of array elements. An f16 is loaded as the f32 of its value; what is stored must be the f32 of some f16
 * (`build.roundToF16`), so that no device's own rounding matters.
 */
export type StoredType = "f32" | "f16" | "i32" | "u32";

/** Types of elements of shared and private arrays. */
export type PlainType = "f32" | "i32" | "u32";

/** The type of a value that is loaded from or stored into an array of `type`. */
export function valueTypeOf(type: StoredType): PlainType {
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
 * branches. `bitcast` keeps the bits, `cast` converts (f32 to integers truncates and saturates). `loadShared` reads an
 * array of the workgroup, `loadPrivate` one of the invocation; they clamp as `load` does.
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
  | { readonly kind: "load"; readonly type: ScalarType; readonly binding: number; readonly index: Expr }
  | { readonly kind: "loadShared"; readonly type: ScalarType; readonly array: number; readonly index: Expr }
  | { readonly kind: "loadPrivate"; readonly type: ScalarType; readonly name: string; readonly index: Expr };

/**
 * What the lanes of a subgroup make of their values: all lanes get the sum, the largest, the smallest, the product, or
 * the value of lane 0, or (`broadcast`) that of a given lane; `shuffleXor` gives lane i the value of lane i ^ mask, which must be a lane of the subgroup.
 * Floats are added and multiplied in an order that is the device's.
 */
export type SubgroupOp = "add" | "maximum" | "minimum" | "product" | "broadcastFirst" | "broadcast" | "shuffleXor";

/**
 * `let` names an immutable value, `var` a mutable one, `array` an array of the invocation, zeroed where it is declared;
 * names are unique in a kernel. A `for` counts an i32 upward, and evaluates its bounds once. A store outside its array
 * stores nothing.
 *
 * `barrier` and `subgroup` want a kernel with a workgroup, and control flow that is uniform over it: every `if` and `for`
 * around them depends only on constants, WORKGROUP, SUBGROUP_SIZE, counters of such loops, and loads at places that do so
 * too from read-only bindings that are not `isShared`. At a `barrier` the lanes of a workgroup wait for each other, and see
 * afterwards what the others stored before, in shared arrays and in bindings that are read and written. An element that
 * one lane stores must not be loaded or stored by another one without a barrier between, nor by another workgroup at all.
 * `subgroup` names its result, as `let` does.
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
  | { readonly kind: "store"; readonly binding: number; readonly index: Expr; readonly value: Expr }
  | { readonly kind: "storeShared"; readonly array: number; readonly index: Expr; readonly value: Expr }
  | { readonly kind: "array"; readonly name: string; readonly type: PlainType; readonly length: number }
  | { readonly kind: "storePrivate"; readonly name: string; readonly index: Expr; readonly value: Expr }
  | { readonly kind: "barrier" }
  | {
      readonly kind: "subgroup";
      readonly op: SubgroupOp;
      readonly name: string;
      readonly value: Expr;
      /** Of `shuffleXor`: from 1 to 127. */
      readonly mask?: number;
      /** Of `broadcast`: a lane of the subgroup. */
      readonly lane?: number;
    };

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

/** Invocations that run together. */
export interface Workgroup {
  /** Invocations in each. */
  readonly lanes: number;
  /** Arrays that they share, zeroed when the workgroup begins. */
  readonly shared: readonly SharedArray[];
}

/** An array of a workgroup. */
export interface SharedArray {
  readonly type: PlainType;
  readonly length: number;
  /** True where the kernel stores each element before it loads it: the array need not be zeroed. */
  readonly isStoredFirst?: boolean;
}

/** Lanes of a workgroup in kernels that do not say. */
export const LANES_DEFAULT = 64;

/**
 * A whole kernel. `body` may use the i32 variables INVOCATION, which runs from 0 to `invocations` - 1, WORKGROUP and LANE:
 * INVOCATION = WORKGROUP * lanes + LANE.
 */
export interface Kernel {
  /** For people and profiles: says what it computes, not how. */
  readonly name: string;
  readonly bindings: readonly Binding[];
  /** With a `workgroup`, a multiple of its lanes. */
  readonly invocations: number;
  /** Without it, invocations are independent; they still come in workgroups, of LANES_DEFAULT. */
  readonly workgroup?: Workgroup;
  /** True where compilers must not write short loops out: on software adapters that takes longer than it saves. */
  readonly keepsLoops?: boolean;
  readonly body: readonly Statement[];
}

/** Lanes in each workgroup of `kernel`. */
export function lanesOf({ workgroup }: Kernel): number {
  return workgroup?.lanes ?? LANES_DEFAULT;
}

/** The variable that holds the invocation's number. */
export const INVOCATION: Expr = { kind: "variable", type: "i32", name: "invocation" };

/** The number of the invocation's workgroup. */
export const WORKGROUP: Expr = { kind: "variable", type: "i32", name: "workgroup" };

/** The invocation's number in its workgroup. */
export const LANE: Expr = { kind: "variable", type: "i32", name: "lane" };

/**
 * Lanes in a subgroup: a power of two that only the device knows. A workgroup that it does not divide ends in a smaller
 * subgroup, of which SUBGROUP_SIZE says nothing. In kernels with a workgroup only.
 */
export const SUBGROUP_SIZE: Expr = { kind: "variable", type: "i32", name: "subgroupSize" };

/** The invocation's number in its subgroup, LANE modulo SUBGROUP_SIZE. In kernels with a workgroup only. */
export const SUBGROUP_LANE: Expr = { kind: "variable", type: "i32", name: "subgroupLane" };

/** Names that a kernel may use without defining them. */
export type BuiltInName = "invocation" | "workgroup" | "lane" | "subgroupSize" | "subgroupLane";

/** No device has larger subgroups (WGSL promises so). */
export const SUBGROUP_SIZE_MAX = 128;
