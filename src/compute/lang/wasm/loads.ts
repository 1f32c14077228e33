/**
 * Loads: of one element for all lanes, of four neighbours as a vector, or lane by lane.
 *
 * An index that is not known to be inside its array is brought there first, as the language says, so no load leaves it.
 */
import { assert, present } from "../../../base/assert.ts";
import type { ArrayPlace } from "../array-place.ts";
import { isInside, type Value } from "../numbered-kernel.ts";
import type { Code, Local } from "./code.ts";
import type { Frame } from "./frame.ts";
import { floatsOfHalves } from "./half-floats.ts";
import { LANES, type LaneForms } from "./lane-forms.ts";
import { Pointers, type Parts } from "./pointers.ts";
import { VectorMath } from "./vector-math.ts";

/** Where indices come from. */
export interface Indices extends Parts {
  /** Pushes what the four lanes have. */
  vector(value: Value): void;
  /** True for a value that was computed before, under a name. */
  isTemporary(value: Value): boolean;
}

/** Elements that are added by an instruction rather than before it. */
const OFFSET_MAX = 2 ** 28;
/** A whole stride that memory instructions can hold. */
const STRIDE_MAX = 2 ** 20;

export class Loads {
  readonly pointers: Pointers;
  readonly #frame: Frame;
  readonly #forms: LaneForms;
  readonly #values: Indices;
  readonly #code: Code;
  /** Addresses that were computed for named indices, by array and index: known until their block ends. */
  readonly #addresses = new Map<string, Local>();

  constructor(frame: Frame, forms: LaneForms, values: Indices) {
    this.#frame = frame;
    this.#forms = forms;
    this.#values = values;
    this.#code = frame.code;
    this.pointers = new Pointers(frame.code, values);
  }

  /** Does `body`, and forgets the addresses that it computed. */
  inBlock(body: () => void): void {
    const before = new Set(this.#addresses.keys());
    body();
    for (const key of this.#addresses.keys()) if (!before.has(key)) this.#addresses.delete(key);
  }

  /** The element that all lanes load. */
  scalar(value: Value): void {
    const { array, index } = loadOf(value);
    const { isPerLane } = this.#frame.addressOf(array);
    assert(!isPerLane, `print: expected an array for all lanes, found ${array.words}`);
    const offset = this.address(array, index);
    if (array.type !== "f16") return this.#code.memory(array.type === "f32" ? "f32.load" : "i32.load", offset);
    const m = new VectorMath(this.#code);
    this.#code.memory("i32.load16_u", offset);
    this.#code.op("i32x4.splat");
    const halves = this.#code.local("v128");
    this.#code.set(halves);
    floatsOfHalves(m, () => this.#code.get(halves))();
    this.#code.lane("f32x4.extract_lane", 0);
  }

  /** Writes the load of one element into all lanes; false where there is no such instruction. */
  splat(value: Value): boolean {
    const { array, index } = loadOf(value);
    if (array.type === "f16" || this.#frame.addressOf(array).isPerLane) return false;
    this.#code.memory("v128.load32_splat", this.address(array, index));
    return true;
  }

  /** The elements of the four lanes. */
  vector(value: Value): void {
    const { array, index } = loadOf(value);
    const { stride } = this.#forms.of(index);
    const isKnown = isInside(index, array) && stride !== null;
    const { isPerLane } = this.#frame.addressOf(array);
    if (stride === 0 && isPerLane) return this.#code.memory("v128.load", this.address(array, index));
    if (isKnown && stride === 1 && !isPerLane) return this.#neighbours(array, index);
    if (isKnown && stride > 1 && stride <= STRIDE_MAX && !isPerLane && array.type !== "f16") {
      return this.#apart(array, index, stride);
    }
    if (stride === 1 && !isPerLane && array.length >= LANES) return this.#atEdge(array, index);
    this.#gather(array, index);
  }

  /** Four neighbours that may be beyond an end: one load if they are all inside. */
  #atEdge(array: ArrayPlace, index: Value): void {
    this.#values.scalar(index);
    this.#code.i32(array.length - LANES + 1);
    this.#code.op("i32.lt_u");
    this.#code.ifElse(
      "v128",
      () => this.inBlock(() => this.#neighbours(array, index, true)),
      () => this.inBlock(() => this.#gather(array, index)),
    );
  }

  /** Pushes an address for an index that all lanes have, or lane 0 has; what is to be added to it. */
  address(array: ArrayPlace, index: Value, isKnownInside: boolean = isInside(index, array)): number {
    const { base, offset, shift } = this.#frame.addressOf(array);
    const code = this.#code;
    if (!isKnownInside) {
      code.get(base);
      this.#clamped(array, index);
      code.i32(shift);
      code.op("i32.shl", "i32.add");
      return offset;
    }
    const pointed = this.pointers.address(base, shift, index);
    if (pointed !== undefined) return offset + pointed;
    const { terms, constant } = this.#split(index);
    if (terms.length === 0) code.get(base);
    else if (terms.every((term) => this.#isNamed(term))) this.#namedAddress(base, terms, shift);
    else this.#sum(base, terms, shift);
    return offset + constant * 2 ** shift;
  }

  #sum(base: Local, terms: readonly Value[], shift: number): void {
    this.#code.get(base);
    for (const [i, term] of terms.entries()) {
      this.#values.scalar(term);
      if (i > 0) this.#code.op("i32.add");
    }
    this.#code.i32(shift);
    this.#code.op("i32.shl", "i32.add");
  }

  #namedAddress(base: Local, terms: readonly Value[], shift: number): void {
    const key = `${base}:${shift}:${terms.map(({ id }) => id).join()}`;
    const known = this.#addresses.get(key);
    if (known !== undefined) return this.#code.get(known);
    const local = this.#code.local("i32");
    this.#sum(base, terms, shift);
    this.#code.tee(local);
    this.#addresses.set(key, local);
  }

  #isNamed(value: Value): boolean {
    const isImmutable = value.expr.kind === "variable" && !value.isVolatile;
    return this.#values.isTemporary(value) || isImmutable;
  }

  /** index = the sum of terms + constant, with none of them below 0: instructions add the constant for nothing. */
  #split(index: Value): { terms: readonly Value[]; constant: number } {
    const terms: Value[] = [];
    let constant = 0;
    const visit = (value: Value): void => {
      const { expr, operands } = value;
      if (expr.kind === "constant") constant += Number(expr.value);
      else if (expr.kind === "binary" && expr.op === "add" && !this.#isNamed(value)) operands.forEach(visit);
      else terms.push(value);
    };
    visit(index);
    // Instructions add without wrapping, as indices do.
    const most = terms.reduce((sum, { range }) => sum + range.max, constant);
    const isPositive = constant >= 0 && constant <= OFFSET_MAX && terms.every(({ range }) => range.min >= 0);
    const isSafe = isPositive && most < 2 ** 32;
    return isSafe ? { terms, constant } : { terms: [index], constant: 0 };
  }

  /** The index in lane 0, brought into the array. */
  #clamped({ length }: ArrayPlace, index: Value): void {
    const code = this.#code;
    const local = code.local("i32");
    const last = length - 1;
    this.#values.scalar(index);
    code.set(local);
    if (index.expr.type === "i32") {
      // 0 for what is below 0.
      code.get(local);
      code.i32(0);
      code.get(local);
      code.i32(0);
      code.op("i32.gt_s", "select");
      code.set(local);
    }
    code.get(local);
    code.i32(last);
    code.get(local);
    code.i32(last);
    code.op("i32.lt_u", "select");
  }

  #neighbours(array: ArrayPlace, index: Value, isKnownInside: boolean = isInside(index, array)): void {
    const offset = this.address(array, index, isKnownInside);
    if (array.type !== "f16") return this.#code.memory("v128.load", offset);
    this.#code.memory("v128.load64_zero", offset);
    this.#code.op("i32x4.extend_low_i16x8_u");
    this.#halves();
  }

  /** The halves on the stack as floats. */
  #halves(): void {
    const local = this.#code.local("v128");
    this.#code.set(local);
    floatsOfHalves(new VectorMath(this.#code), () => this.#code.get(local))();
  }

  /** Elements of equal distance, from one address. */
  #apart(array: ArrayPlace, index: Value, stride: number): void {
    const code = this.#code;
    const address = code.local("i32");
    const offset = this.address(array, index);
    code.set(address);
    const { shift } = this.#frame.addressOf(array);
    for (let lane = LANES - 1; lane >= 0; lane--) code.get(address);
    code.memory("v128.load32_zero", offset);
    for (let lane = 1; lane < LANES; lane++) {
      code.memoryLane("v128.load32_lane", offset + lane * stride * 2 ** shift, lane);
    }
  }

  #gather(array: ArrayPlace, index: Value): void {
    const code = this.#code;
    const addresses = this.addresses(array, index);
    const { offset } = this.#frame.addressOf(array);
    const lane = (i: number): void => {
      code.get(addresses);
      code.lane("i32x4.extract_lane", i);
    };
    if (array.type === "f16") {
      for (let i = 0; i < LANES; i++) {
        lane(i);
        code.memory("i32.load16_u", offset);
        if (i === 0) code.op("i32x4.splat");
        else code.lane("i32x4.replace_lane", i);
      }
      return this.#halves();
    }
    for (let i = LANES - 1; i >= 0; i--) lane(i);
    code.memory("v128.load32_zero", offset);
    for (let i = 1; i < LANES; i++) code.memoryLane("v128.load32_lane", offset, i);
  }

  /** A local with the four lanes' addresses, of places that are inside the array. */
  addresses(array: ArrayPlace, index: Value): Local {
    const m = new VectorMath(this.#code);
    const { base, shift, isPerLane } = this.#frame.addressOf(array);
    const isUnsigned = index.expr.type === "u32";
    const whole = (): void => this.#values.vector(index);
    const last = m.bits(array.length - 1);
    const clamped = isUnsigned
      ? m.op("i32x4.min_u", whole, last)
      : m.op("i32x4.min_s", m.op("i32x4.max_s", whole, m.bits(0)), last);
    const inside = isInside(index, array) ? whole : clamped;
    const scaled = m.shifted("i32x4.shl", inside, shift);
    const own = isPerLane ? m.op("i32x4.add", scaled, () => this.#code.lanes([0, 4, 8, 12])) : scaled;
    const bases = (): void => {
      this.#code.get(base);
      this.#code.op("i32x4.splat");
    };
    const local = this.#code.local("v128");
    m.op("i32x4.add", own, bases)();
    this.#code.set(local);
    return local;
  }
}

function loadOf(value: Value): { array: ArrayPlace; index: Value } {
  return { array: present(value.array, "print: an array"), index: present(value.operands[0], "print: an index") };
}
