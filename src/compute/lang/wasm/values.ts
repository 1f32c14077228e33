/** The values of a numbered kernel as WebAssembly: once where all lanes have the same, else as vectors. */
import { assert, present } from "../../../base/assert.ts";
import type { ScalarType } from "../kernel.ts";
import type { Value } from "../numbered-kernel.ts";
import { scalarTypeOf, type Frame, type Slot } from "./frame.ts";
import { LANES, type LaneForms } from "./lane-forms.ts";
import { Loads } from "./loads.ts";
import { scalarBinary, scalarBitcast, scalarCast, scalarUnary, type Output } from "./scalar-operators.ts";
import { vectorBinary, vectorCast, vectorUnary } from "./vector-operators.ts";
import type { Push } from "./vector-math.ts";

/** What the target has beyond the plain instruction set. */
export interface WasmFeatures {
  /** Relaxed SIMD: x * y + z may round once. */
  readonly hasMultiplyAdd: boolean;
}

/** Pushes values. Named ones are read where they are kept. */
export class Values {
  readonly frame: Frame;
  readonly forms: LaneForms;
  readonly loads: Loads;
  readonly #output: Output;
  readonly #features: WasmFeatures;
  /** By the name of a kernel's variable, and by value id. */
  readonly #names = new Map<string, Slot>();
  readonly #temporaries = new Map<number, { readonly slot: Slot; readonly mark: number }>();
  #marks = 0;

  constructor(output: Output, frame: Frame, forms: LaneForms, features: WasmFeatures) {
    this.#output = output;
    this.frame = frame;
    this.forms = forms;
    this.#features = features;
    this.loads = new Loads(frame, forms, this);
  }

  setName(name: string, slot: Slot): void {
    this.#names.set(name, slot);
  }

  slotOf(name: string): Slot {
    return present(this.#names.get(name), `print: where ${name} is kept`);
  }

  setTemporary(value: Value, slot: Slot): void {
    this.#marks += 1;
    this.#temporaries.set(value.id, { slot, mark: this.#marks });
  }

  isTemporary(value: Value): boolean {
    return this.#temporaries.has(value.id);
  }

  mark(): number {
    return this.#marks;
  }

  isNamedBefore(value: Value, mark: number): boolean {
    return (this.#temporaries.get(value.id)?.mark ?? Infinity) <= mark;
  }

  /** The value in lane 0; that of all lanes where they have the same. */
  scalar(value: Value): void {
    const slot = this.#slot(value);
    if (slot === undefined) return this.#scalarOperation(value);
    this.frame.read(slot);
    if (slot.type !== "v128") return;
    const { code } = this.#output;
    code.lane(value.expr.type === "f32" ? "f32x4.extract_lane" : "i32x4.extract_lane", 0);
  }

  /** The values of the four lanes. */
  vector(value: Value): void {
    const slot = this.#slot(value);
    if (slot?.type === "v128") return this.frame.read(slot);
    const { stride } = this.forms.of(value);
    if (stride === null) return this.#vectorOperation(value);
    const { expr } = value;
    const { code } = this.#output;
    if (expr.kind === "constant") return this.#constantVector(expr.type, expr.value);
    if (slot === undefined && value.array !== undefined && this.loads.splat(value)) return;
    this.scalar(value);
    splat(this.#output.code, expr.type);
    if (stride === 0) return;
    code.lanes(Array.from({ length: LANES }, (_, lane) => Math.imul(lane, stride)));
    code.op("i32x4.add");
  }

  /** In the way its lanes ask for. */
  own(value: Value): void {
    if (this.forms.isVarying(value)) this.vector(value);
    else this.scalar(value);
  }

  #slot({ id, expr }: Value): Slot | undefined {
    return this.#temporaries.get(id)?.slot ?? (expr.kind === "variable" ? this.slotOf(expr.name) : undefined);
  }

  #constantVector(type: ScalarType, value: number | boolean): void {
    const { code } = this.#output;
    if (type === "f32") code.f32x4(Number(value));
    else code.i32x4(type === "bool" ? (value === true ? -1 : 0) : Number(value));
  }

  #scalarOperation(value: Value): void {
    const { expr, operands } = value;
    const { code } = this.#output;
    const [a, b, c] = operands;
    const push = (operand: Value | undefined): Push => {
      assert(operand !== undefined, "print: expected an operand");
      return () => this.scalar(operand);
    };
    switch (expr.kind) {
      case "constant":
        return expr.type === "f32" ? code.f32(Number(expr.value)) : code.i32(Number(expr.value));
      case "variable":
        return this.frame.read(this.slotOf(expr.name));
      case "unary":
        return scalarUnary(this.#output, expr.op, expr.type, push(a));
      case "binary":
        return scalarBinary(
          this.#output,
          expr.op,
          expr.a.type,
          push(a),
          push(b),
          present(b, "print: an operand").range,
        );
      case "select":
        for (const operand of [b, c, a]) push(operand)();
        return code.op("select");
      case "cast":
        return scalarCast(code, expr.type, expr.x.type, push(a));
      case "bitcast":
        return scalarBitcast(code, expr.type, expr.x.type, push(a));
      case "load":
      case "loadShared":
      case "loadPrivate":
        return this.loads.scalar(value);
    }
  }

  #vectorOperation(value: Value): void {
    const { expr, operands } = value;
    const [a, b, c] = operands;
    const push = (operand: Value | undefined): Push => {
      assert(operand !== undefined, "print: expected an operand");
      return () => this.vector(operand);
    };
    switch (expr.kind) {
      case "constant":
        return this.#constantVector(expr.type, expr.value);
      case "variable":
        return this.frame.read(this.slotOf(expr.name));
      case "unary":
        return vectorUnary(this.#output, expr.op, expr.type, push(a));
      case "binary": {
        if (this.#multiplyAdd(value)) return;
        const second = present(b, "print: an operand");
        const isSame = this.forms.of(second).stride === 0;
        const known = {
          vector: push(b),
          scalar: isSame ? () => this.scalar(second) : undefined,
          range: second.range,
        };
        return vectorBinary(this.#output, expr.op, expr.a.type, push(a), known);
      }
      case "select":
        for (const operand of [b, c, a]) push(operand)();
        return this.#output.code.op("v128.bitselect");
      case "cast":
        return vectorCast(this.#output, expr.type, expr.x.type, push(a));
      case "bitcast":
        return push(a)();
      case "load":
      case "loadShared":
      case "loadPrivate":
        return this.loads.vector(value);
    }
  }

  /** Writes x * y + z and z - x * y as one instruction where there is one; whether it did. */
  #multiplyAdd({ expr, operands }: Value): boolean {
    if (!this.#features.hasMultiplyAdd || expr.kind !== "binary" || expr.type !== "f32") return false;
    const [a, b] = operands;
    if (a === undefined || b === undefined || (expr.op !== "add" && expr.op !== "subtract")) return false;
    const product = this.#isProduct(b) ? b : expr.op === "add" && this.#isProduct(a) ? a : undefined;
    if (product === undefined) return false;
    for (const operand of [...product.operands, product === b ? a : b]) this.vector(operand);
    this.#output.code.op(expr.op === "add" ? "f32x4.relaxed_madd" : "f32x4.relaxed_nmadd");
    return true;
  }

  /** A product of floats that is written where it is used. */
  #isProduct(value: Value): boolean {
    const { expr } = value;
    const isPlace = expr.kind === "binary" && expr.op === "multiply" && !this.#temporaries.has(value.id);
    return isPlace && this.forms.isVarying(value);
  }
}

/** A scalar on the stack as a vector of it in all lanes. */
function splat(code: Output["code"], type: ScalarType): void {
  if (type === "bool") {
    // A mask is all ones.
    code.i32(-1);
    code.op("i32.mul");
  }
  code.op(type === "f32" ? "f32x4.splat" : "i32x4.splat");
}

/** The type that a name of this value is kept in. */
export function slotTypeOf(forms: LaneForms, value: Value): "v128" | "i32" | "f32" | "f64" {
  return forms.isVarying(value) ? "v128" : scalarTypeOf(value.expr.type);
}
