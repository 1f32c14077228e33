/**
 * Stores: four neighbours as a vector, or lane by lane. Lanes that a mask leaves out store nothing; nor does an index
 * outside its array.
 */
import type { ArrayPlace } from "../array-place.ts";
import { isInside, type Value } from "../numbered-kernel.ts";
import type { Code, Local } from "./code.ts";
import type { Frame } from "./frame.ts";
import { halvesOfFloats } from "./half-floats.ts";
import { LANES, type LaneForms } from "./lane-forms.ts";
import { VectorMath } from "./vector-math.ts";
import type { Values } from "./values.ts";

export class Stores {
  readonly #frame: Frame;
  readonly #forms: LaneForms;
  readonly #values: Values;
  readonly #code: Code;
  readonly #isOneLane: boolean;

  constructor(frame: Frame, forms: LaneForms, values: Values, isOneLane: boolean) {
    this.#frame = frame;
    this.#forms = forms;
    this.#values = values;
    this.#code = frame.code;
    this.#isOneLane = isOneLane;
  }

  /** array[index] = value in the lanes of `mask`; in all without one. */
  store(array: ArrayPlace, index: Value, value: Value, mask: Local | undefined): void {
    if (isInside(index, array)) return this.#inside(array, index, value, mask);
    if (this.#forms.of(index).stride === 0) {
      this.#values.scalar(index);
      this.#code.i32(array.length);
      this.#code.op("i32.lt_u");
      return this.#code.if(() => this.#values.loads.inBlock(() => this.#inside(array, index, value, mask)));
    }
    const areNeighbours = this.#forms.of(index).stride === 1 && !this.#frame.addressOf(array).isPerLane;
    if (mask === undefined && areNeighbours && array.length >= LANES) {
      return this.#atEdge(array, index, value);
    }
    this.#onlyInside(array, index, value, mask);
  }

  /** Four neighbours that may be beyond the end: as a vector if they are all inside. */
  #atEdge(array: ArrayPlace, index: Value, value: Value): void {
    const code = this.#code;
    const isWhole = code.local("i32");
    this.#values.scalar(index);
    code.i32(array.length - LANES + 1);
    code.op("i32.lt_u");
    code.tee(isWhole);
    code.if(() => this.#values.loads.inBlock(() => this.#neighbours(array, index, value, true)));
    code.get(isWhole);
    code.op("i32.eqz");
    code.if(() => this.#values.loads.inBlock(() => this.#onlyInside(array, index, value, undefined)));
  }

  #onlyInside(array: ArrayPlace, index: Value, value: Value, mask: Local | undefined): void {
    const m = new VectorMath(this.#code);
    const isIn = m.op("i32x4.lt_u", () => this.#values.vector(index), m.bits(array.length));
    const local = this.#code.local("v128");
    (mask === undefined ? isIn : m.op("v128.and", isIn, () => this.#code.get(mask)))();
    this.#code.set(local);
    this.#laneByLane(array, index, value, local);
  }

  #inside(array: ArrayPlace, index: Value, value: Value, mask: Local | undefined): void {
    const { stride } = this.#forms.of(index);
    const { isPerLane } = this.#frame.addressOf(array);
    if (this.#isOneLane) return this.#one(array, index, value);
    if (isPerLane && stride === 0) return this.#ownElement(array, index, value, mask);
    if (stride !== 1 || isPerLane) return this.#laneByLane(array, index, value, mask);
    if (mask === undefined) return this.#neighbours(array, index, value);
    // Most vectors are whole.
    const code = this.#code;
    const isWhole = code.local("i32");
    code.get(mask);
    code.op("i32x4.all_true");
    code.tee(isWhole);
    code.if(() => this.#values.loads.inBlock(() => this.#neighbours(array, index, value)));
    code.get(isWhole);
    code.op("i32.eqz");
    code.if(() => this.#values.loads.inBlock(() => this.#laneByLane(array, index, value, mask)));
  }

  #one(array: ArrayPlace, index: Value, value: Value): void {
    const offset = this.#values.loads.address(array, index);
    this.#values.scalar(value);
    if (array.type !== "f16") return this.#code.memory(array.type === "f32" ? "f32.store" : "i32.store", offset);
    this.#code.op("f32x4.splat");
    this.#halves();
    this.#code.lane("i32x4.extract_lane", 0);
    this.#code.memory("i32.store16", offset);
  }

  /** The four lanes' elements of a private array. */
  #ownElement(array: ArrayPlace, index: Value, value: Value, mask: Local | undefined): void {
    const code = this.#code;
    const offset = this.#values.loads.address(array, index);
    if (mask === undefined) {
      this.#values.vector(value);
      return code.memory("v128.store", offset);
    }
    const address = code.local("i32");
    code.tee(address);
    this.#values.vector(value);
    code.get(address);
    code.memory("v128.load", offset);
    code.get(mask);
    code.op("v128.bitselect");
    code.memory("v128.store", offset);
  }

  /** `isKnownInside` where that was found out just before. */
  #neighbours(array: ArrayPlace, index: Value, value: Value, isKnownInside: boolean = isInside(index, array)): void {
    const code = this.#code;
    const offset = this.#values.loads.address(array, index, isKnownInside);
    this.#values.vector(value);
    if (array.type !== "f16") return code.memory("v128.store", offset);
    this.#halves();
    const halves = code.local("v128");
    code.tee(halves);
    code.get(halves);
    code.op("i16x8.narrow_i32x4_u");
    code.memoryLane("v128.store64_lane", offset, 0);
  }

  #laneByLane(array: ArrayPlace, index: Value, value: Value, mask: Local | undefined): void {
    const code = this.#code;
    const addresses = this.#values.loads.addresses(array, index);
    const { offset } = this.#frame.addressOf(array);
    const stored = code.local("v128");
    this.#values.vector(value);
    if (array.type === "f16") this.#halves();
    code.set(stored);
    for (let lane = 0; lane < LANES; lane++) {
      const store = (): void => this.#lane(array, addresses, stored, offset, lane);
      if (mask === undefined) store();
      else {
        code.get(mask);
        code.lane("i32x4.extract_lane", lane);
        code.if(store);
      }
    }
  }

  #lane({ type }: ArrayPlace, addresses: Local, stored: Local, offset: number, lane: number): void {
    const code = this.#code;
    code.get(addresses);
    code.lane("i32x4.extract_lane", lane);
    code.get(stored);
    if (type !== "f16") return code.memoryLane("v128.store32_lane", offset, lane);
    code.lane("i32x4.extract_lane", lane);
    code.memory("i32.store16", offset);
  }

  /** The floats on the stack as halves. */
  #halves(): void {
    const local = this.#code.local("v128");
    this.#code.set(local);
    halvesOfFloats(new VectorMath(this.#code), () => this.#code.get(local))();
  }
}
