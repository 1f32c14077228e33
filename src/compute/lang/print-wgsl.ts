/**
 * Kernels as WGSL: one entry point `main`, bindings in group 0.
 *
 * Grids beyond 65,535 workgroups fold into y. Arrays have their length in their type. What WGSL leaves open (indices
 * outside an array, constants that overflow, sin of large angles) is written out, so that devices agree.
 */
import { assert } from "../../base/assert.ts";
import type { ArrayPlace } from "./array-place.ts";
import { usesSubgroups } from "./features.ts";
import {
  lanesOf,
  type Binding,
  type BuiltInName,
  type Kernel,
  type ScalarType,
  type StoredType,
  type SubgroupOp,
} from "./kernel.ts";
import { isInside, type Line, type Value } from "./numbered-kernel.ts";
import { printBody, type Target } from "./print.ts";
import { printedName } from "./printed-name.ts";
import { VECTOR } from "./vector-access.ts";
import { vectorAccessOf } from "./vectorize.ts";
import { wgslFunctionsFor } from "./wgsl-functions.ts";
import { binary, literal, unary } from "./wgsl-operators.ts";

/** Workgroups along a dimension, on every WebGPU device. */
const WORKGROUPS_MAX = 65_535;

/** Workgroups of a kernel's dispatch, [x, y]. */
export function workgroupsOf(kernel: Kernel): readonly [number, number] {
  const total = Math.ceil(kernel.invocations / lanesOf(kernel));
  const y = Math.ceil(total / WORKGROUPS_MAX);
  return [Math.ceil(total / y), y];
}

/** Whether a binding has the writable type: one that is only read may have to, too. */
export function isBoundWritable({ access, isShared }: Binding): boolean {
  return access !== "read" || isShared === true;
}

/** The WGSL module of a kernel. @throws InvariantError for a kernel that breaks the rules of `kernel.ts`. */
export function printWgsl(kernel: Kernel): string {
  const target = new WgslTarget(kernel);
  const vectors = vectorAccessOf(kernel);
  const body = printBody(kernel, target, vectors).join("\n");
  const bindings = kernel.bindings.flatMap((binding, i) =>
    binding.aliasOf === undefined ? [printBinding(binding, i, vectors.bindings.has(i))] : [],
  );
  const shared = (kernel.workgroup?.shared ?? [])
    .map((array, i) => printShared(array, i, vectors.shared.has(i)))
    .join("");
  const main = `@compute @workgroup_size(${lanesOf(kernel)})
fn main(${target.parameters().join(", ")}) {
${body}
}
`;
  const isHalf = kernel.bindings.some(({ type }) => type === "f16");
  const enables = `${isHalf ? "enable f16;\n" : ""}${usesSubgroups(kernel) ? "enable subgroups;\n" : ""}`;
  return `${enables}${bindings.join("")}${shared}\n${wgslFunctionsFor(body)}${main}`;
}

function printBinding(binding: Binding, index: number, isVector: boolean): string {
  const mode = isBoundWritable(binding) ? "read_write" : "read";
  const elements = elementsOf(binding, isVector);
  return `@group(0) @binding(${index}) var<storage, ${mode}> b${index}: array<${elements}>;\n`;
}

function printShared(array: { type: StoredType; length: number }, index: number, isVector: boolean): string {
  return `var<workgroup> s${index}: array<${elementsOf(array, isVector)}>;\n`;
}

function elementsOf({ type, length }: { type: StoredType; length: number }, isVector: boolean): string {
  return isVector ? `vec${VECTOR}<${type}>, ${length / VECTOR}` : `${type}, ${length}`;
}

const COMPONENTS = "xyzw";

/** WGSL's functions; that of `shuffleXor` takes the mask too, that of `broadcast` the lane. */
const SUBGROUP_FUNCTIONS: { readonly [Op in SubgroupOp]: string } = {
  add: "subgroupAdd",
  maximum: "subgroupMax",
  minimum: "subgroupMin",
  product: "subgroupMul",
  broadcastFirst: "subgroupBroadcastFirst",
  broadcast: "subgroupBroadcast",
  shuffleXor: "subgroupShuffleXor",
};

/** The bound of a loop that a compiler knows. */
const LITERAL = /^(\d+)i$/;
/** Longer loops are written out by nobody. */
const WRITTEN_OUT_MAX = 64;

class WgslTarget implements Target {
  readonly #kernel: Kernel;
  #builtIns: ReadonlySet<BuiltInName> = new Set();
  #hidesBounds = false;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Of `main`: what the printed body needs. */
  parameters(): string[] {
    const isGrouped = this.#isGrouped();
    const out = isGrouped
      ? ["@builtin(workgroup_id) group: vec3<u32>"]
      : ["@builtin(global_invocation_id) id: vec3<u32>"];
    if (isGrouped) out.push("@builtin(local_invocation_index) local: u32");
    if (this.#hidesBounds) out.push("@builtin(num_workgroups) count: vec3<u32>");
    if (this.#builtIns.has("subgroupSize")) out.push("@builtin(subgroup_size) size: u32");
    if (this.#builtIns.has("subgroupLane")) out.push("@builtin(subgroup_invocation_id) sublane: u32");
    return out;
  }

  openEach(builtIns: ReadonlySet<BuiltInName>): readonly string[] {
    this.#builtIns = builtIns;
    return this.#isGrouped() ? this.#openGrouped() : this.#openIndependent();
  }

  /** Where a lane is in its workgroup is asked of the device: some see then what is the same for all lanes. */
  #isGrouped(): boolean {
    return this.#kernel.workgroup !== undefined || this.#builtIns.has("workgroup") || this.#builtIns.has("lane");
  }

  #openIndependent(): string[] {
    const { invocations } = this.#kernel;
    const lanes = lanesOf(this.#kernel);
    const [x, y] = workgroupsOf(this.#kernel);
    const number = y === 1 ? "id.x" : `id.y * ${x * lanes}u + id.x`;
    const lines = [`let invocation = bitcast<i32>(${number});`];
    if (x * y * lanes > invocations) lines.push(`if (${number} >= ${invocations}u) { return; }`);
    return lines;
  }

  /** Whole workgroups return where there are too many: so all lanes of the others come by every barrier. */
  #openGrouped(): string[] {
    const lanes = lanesOf(this.#kernel);
    const { invocations } = this.#kernel;
    const workgroups = Math.ceil(invocations / lanes);
    const [x, y] = workgroupsOf(this.#kernel);
    const number = y === 1 ? "group.x" : `(group.y * ${x}u + group.x)`;
    const lines = x * y > workgroups ? [`if (${number} >= ${workgroups}u) { return; }`] : [];
    lines.push(`let workgroup = bitcast<i32>(${number});`, "let lane = bitcast<i32>(local);");
    const isRagged = workgroups * lanes > invocations;
    if (isRagged || this.#builtIns.has("invocation")) lines.push(`let invocation = workgroup * ${lanes}i + lane;`);
    if (isRagged) lines.push(`if (invocation >= ${invocations}i) { return; }`);
    if (this.#builtIns.has("subgroupSize")) lines.push("let subgroup_size = bitcast<i32>(size);");
    if (this.#builtIns.has("subgroupLane")) lines.push("let subgroup_lane = bitcast<i32>(sublane);");
    return lines;
  }

  closeEach(): readonly string[] {
    return [];
  }

  define(name: string, _type: ScalarType, text: string, isMutable: boolean): string {
    return `${isMutable ? "var" : "let"} ${name} = ${text};`;
  }

  assign(name: string, text: string): string {
    return `${name} = ${text};`;
  }

  store({ name, type }: ArrayPlace, index: string, values: readonly string[]): string {
    const parts = type === "f16" ? values.map((value) => `f16(${value})`) : values;
    const stored = parts.length === VECTOR ? `vec${VECTOR}<${type}>(${parts.join(", ")})` : (parts[0] ?? "");
    return `${name}[${index}] = ${stored};`;
  }

  declare({ name, type, length }: ArrayPlace): string {
    return `var ${name}: array<${type}, ${length}>;`;
  }

  /** Each of WGSL's two barriers makes the lanes wait; a kernel gets those that it has arrays for. */
  barrier(): readonly string[] {
    const { bindings, workgroup } = this.#kernel;
    const isStored = bindings.some(({ access }) => access === "readWrite");
    const isShared = !isStored || (workgroup?.shared.length ?? 0) > 0;
    return [...(isShared ? ["workgroupBarrier();"] : []), ...(isStored ? ["storageBarrier();"] : [])];
  }

  subgroup({ op, mask, lane }: Line & { kind: "subgroup" }, name: string, text: string): string {
    const more = op === "shuffleXor" ? `, ${mask}u` : op === "broadcast" ? `, ${lane}u` : "";
    return `let ${name} = ${SUBGROUP_FUNCTIONS[op]}(${text}${more});`;
  }

  /**
   * Bounds of short loops are hidden from compilers that write loops out, if the kernel asks for it: a number that is 0
   * is added, and only the device knows that it is.
   */
  openFor(name: string, from: string, to: string): string {
    const bound = LITERAL.exec(to)?.[1];
    if (this.#kernel.keepsLoops === true && bound !== undefined && Number(bound) <= WRITTEN_OUT_MAX) {
      this.#hidesBounds = true;
      return `for (var ${name} = ${from}; ${name} < ${to} + bitcast<i32>(count.x >> 31u); ${name}++) {`;
    }
    return `for (var ${name} = ${from}; ${name} < ${to}; ${name}++) {`;
  }

  openIf(condition: string): string {
    return `if (${condition}) {`;
  }

  inside(index: string, indexType: ScalarType, array: ArrayPlace): string {
    // A negative index becomes a large one.
    return `${indexType === "i32" ? `bitcast<u32>(${index})` : index} < ${array.length}u`;
  }

  expression(value: Value, operands: readonly string[]): string {
    const { expr } = value;
    const [a = "", b = "", c = ""] = operands;
    switch (expr.kind) {
      case "constant":
        return literal(expr);
      case "variable":
        return printedName(expr.name);
      case "unary":
        return unary(expr.op, expr.type, a);
      case "binary":
        return binary(expr.op, expr.a.type, expr.b.type, a, b);
      case "select":
        return `select(${c}, ${b}, ${a})`;
      case "cast":
        return `${expr.type}(${a})`;
      case "bitcast":
        return `bitcast<${expr.type}>(${a}${hiding(value.operands[0])})`;
      case "load":
      case "loadShared":
      case "loadPrivate":
        return this.#load(value, a);
    }
  }

  #load({ array, operands, vector }: Value, index: string): string {
    const [place] = operands;
    assert(array !== undefined && place !== undefined, `print ${this.#kernel.name}: expected a load from an array`);
    const { name, type, isVector } = array;
    // For a component the operand is the vector.
    if (typeof vector === "number") return `${index}.${COMPONENTS[vector]}`;
    if (vector === "whole") return type === "f16" ? `vec${VECTOR}<f32>(${name}[${index}])` : `${name}[${index}]`;
    const element = (text: string): string => {
      const one = isVector ? `${name}[${text} / ${VECTOR}][${text} % ${VECTOR}]` : `${name}[${text}]`;
      return type === "f16" ? `f32(${one})` : one;
    };
    if (isInside(place, array)) return element(index);
    const last = array.length - 1;
    const inside = place.expr.type === "u32" ? `min(${index}, ${last}u)` : `clamp(${index}, 0i, ${last}i)`;
    return element(inside);
  }
}

/** What makes the bits of a literal integer a runtime value: those of a NaN must not be evaluated by the compiler. */
function hiding(operand: Value | undefined): string {
  if (operand?.expr.kind !== "constant") return "";
  return operand.expr.type === "u32" ? " ^ zero" : operand.expr.type === "i32" ? " ^ bitcast<i32>(zero)" : "";
}
