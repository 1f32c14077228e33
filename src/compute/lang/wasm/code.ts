/** The body of one WebAssembly function while it is written: instructions as bytes, and its locals. */
import { OPCODES, type Opcode } from "./opcodes.ts";

/** Types of locals, parameters and results. */
export type WasmType = "i32" | "f32" | "f64" | "v128";

/** How the module's bytes say a type. */
export const TYPE_BYTES: { readonly [T in WasmType]: number } = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** The number of a local. */
export type Local = number;

const NO_RESULT = 0x40;
const LOCAL_SET = 0x21;
const bits = new DataView(new ArrayBuffer(8));

/** Writes an unsigned LEB128 number. */
export function writeUnsigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

/** Writes a signed LEB128 number of 32 bits. */
export function writeSigned(bytes: number[], value: number): void {
  let rest = value | 0;
  while (rest < -0x40 || rest >= 0x40) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>= 7;
  }
  bytes.push(rest & 0x7f);
}

/** A function being written. Operands go onto the stack before the instruction that takes them. */
export class Code {
  readonly bytes: number[] = [];
  readonly params: readonly WasmType[];
  /** Of the locals after the parameters. */
  readonly locals: WasmType[] = [];
  /** Whether x * y + z may be one instruction. */
  readonly hasMultiplyAdd: boolean;
  /** Vectors that are constants, by their bytes: engines make them anew at each use, of several instructions. */
  readonly #constants = new Map<string, Local>();
  readonly #prologue: number[] = [];

  constructor(params: readonly WasmType[], hasMultiplyAdd: boolean = false) {
    this.params = params;
    this.hasMultiplyAdd = hasMultiplyAdd;
  }

  /** All instructions: first those that make its constants. */
  get body(): readonly number[] {
    return [...this.#prologue, ...this.bytes];
  }

  /** What `body` writes, for `append`. */
  apart(body: () => void): number[] {
    const start = this.bytes.length;
    body();
    return this.bytes.splice(start);
  }

  append(bytes: readonly number[]): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  /** A new local, 0 when the function begins. */
  local(type: WasmType): Local {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  /** Instructions that have no immediates. */
  op(...names: readonly Opcode[]): void {
    for (const name of names) this.#opcode(name);
  }

  get(local: Local): void {
    this.#withIndex("local.get", local);
  }

  set(local: Local): void {
    this.#withIndex("local.set", local);
  }

  tee(local: Local): void {
    this.#withIndex("local.tee", local);
  }

  i32(value: number): void {
    this.bytes.push(0x41);
    writeSigned(this.bytes, value);
  }

  f32(value: number): void {
    bits.setFloat32(0, value, true);
    this.bytes.push(0x43);
    this.#bits(4);
  }

  i64(value: number): void {
    this.bytes.push(0x42);
    writeSigned(this.bytes, value);
  }

  /** Four times the same 32 bits. */
  i32x4(value: number): void {
    this.lanes([value, value, value, value]);
  }

  /** A vector of four integers. */
  lanes(values: readonly number[]): void {
    this.#vector(
      values.flatMap((value) => {
        bits.setInt32(0, value | 0, true);
        return bytesOf(4);
      }),
    );
  }

  f32x4(value: number): void {
    bits.setFloat32(0, value, true);
    this.#vector(Array.from({ length: 4 }, () => bytesOf(4)).flat());
  }

  f64x2(value: number): void {
    bits.setFloat64(0, value, true);
    this.#vector(Array.from({ length: 2 }, () => bytesOf(8)).flat());
  }

  /** A load or store at the address on the stack plus `offset`. */
  memory(name: Opcode, offset: number = 0): void {
    this.#opcode(name);
    // No alignment is promised: engines do not need it.
    this.bytes.push(0);
    writeUnsigned(this.bytes, offset);
  }

  /** A load or store of one lane of a vector. */
  memoryLane(name: Opcode, offset: number, lane: number): void {
    this.memory(name, offset);
    this.bytes.push(lane);
  }

  /** Takes or replaces a lane. */
  lane(name: Opcode, lane: number): void {
    this.#opcode(name);
    this.bytes.push(lane);
  }

  /** Lanes of the two vectors on the stack, of 32 bits: 0 to 3 are the first one's. */
  shuffle(lanes: readonly [number, number, number, number]): void {
    this.#opcode("i8x16.shuffle");
    for (const lane of lanes) for (let byte = 0; byte < 4; byte++) this.bytes.push(4 * lane + byte);
  }

  call(index: number): void {
    this.bytes.push(0x10);
    writeUnsigned(this.bytes, index);
  }

  /** Fills [address, address + size) with a byte: address, byte and size are on the stack. */
  fill(): void {
    this.bytes.push(0xfc, 11, 0);
  }

  /** `body` where the i32 on the stack is not 0. */
  if(body: () => void): void {
    this.bytes.push(0x04, NO_RESULT);
    body();
    this.bytes.push(0x0b);
  }

  /** One of two values of a type. */
  ifElse(type: WasmType, yes: () => void, no: () => void): void {
    this.bytes.push(0x04, TYPE_BYTES[type]);
    yes();
    this.bytes.push(0x05);
    no();
    this.bytes.push(0x0b);
  }

  /** `body`, as long as `condition` leaves something but 0. */
  while(condition: () => void, body: () => void): void {
    condition();
    this.bytes.push(0x04, NO_RESULT, 0x03, NO_RESULT);
    body();
    condition();
    this.bytes.push(0x0d, 0, 0x0b, 0x0b);
  }

  #vector(bytes: readonly number[]): void {
    const key = bytes.join();
    // Zeros are one instruction.
    if (bytes.every((byte) => byte === 0)) return void this.bytes.push(0xfd, 12, ...bytes);
    let local = this.#constants.get(key);
    if (local === undefined) {
      local = this.local("v128");
      this.#constants.set(key, local);
      this.#prologue.push(0xfd, 12, ...bytes, LOCAL_SET);
      writeUnsigned(this.#prologue, local);
    }
    this.get(local);
  }

  #opcode(name: Opcode): void {
    const code = OPCODES[name];
    if (code < 0x100) {
      this.bytes.push(code);
      return;
    }
    this.bytes.push(code >>> 16);
    writeUnsigned(this.bytes, code & 0xffff);
  }

  #withIndex(name: Opcode, index: number): void {
    this.#opcode(name);
    writeUnsigned(this.bytes, index);
  }

  #bits(count: number): void {
    this.bytes.push(...bytesOf(count));
  }
}

/** The first bytes of `bits`. */
function bytesOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => bits.getUint8(i));
}
