/**
 * Several kernels that do not depend on each other, as one: their invocations one after another, over few bindings.
 *
 * Small kernels cost more to start than to run. Packed, all updates of an optimizer are one dispatch. Their arrays are
 * parts of few large ones (slabs), which are bound whole; where each begins is data (`table`), so that kernels that do
 * the same share their code: those that are equal, and those that go through arrays of other lengths element by element
 * (`flat-kernel.ts`).
 */
import { assert, present } from "../../base/assert.ts";
import { add, and, bitcast, divide, greaterEqual, i32, less, load, maximum, minimum, multiply, remainder, subtract } from "./build.ts"; // prettier-ignore
import { isConstant, rangeOf, variable } from "./expr.ts";
import { flatForm } from "./flat-kernel.ts";
import { kernelKey } from "./kernel-key.ts";
import type { Binding, Expr, Kernel, ScalarType, Statement } from "./kernel.ts";
import { store, when } from "./statements.ts";
import { substitute } from "./substitute.ts";

/** A kernel with the places of its arrays. */
export interface PackPart {
  readonly kernel: Kernel;
  /** For each binding, the slab that it lies in, and the word where it begins. */
  readonly places: readonly Place[];
}

interface Place {
  readonly slab: number;
  readonly word: number;
}

export interface Packed {
  /** Its bindings: the table, then each slab as it is written, then each slab as it is read, where it is. */
  readonly kernel: Kernel;
  readonly table: Int32Array<ArrayBuffer>;
  /** For each binding after the table, the slab that it is. */
  readonly slabs: readonly number[];
}

/** Parts begin at multiples of this, so that the lanes of a workgroup do the same. */
const LANES = 64;
/** Elements that an invocation of a flat kernel goes through, LANES apart. */
const FLAT_EACH = 4;
const FLAT_BLOCK = LANES * FLAT_EACH;

/** True for kernels that can be packed: a slab holds words, and an array is read or written. */
export function isPackable({ bindings, workgroup }: Kernel): boolean {
  return workgroup === undefined && bindings.every(({ type, access }) => type !== "f16" && access !== "readWrite");
}

/** @param slabWords the length of each slab, in words of 4 bytes */
export function packKernels(name: string, parts: readonly PackPart[], slabWords: readonly number[]): Packed {
  return new Packing(name, parts, slabWords).run();
}

const LANE_VARIABLE: Expr = variable("i32", "lane", { min: 0, max: LANES - 1 });

/** What stands for a part's own invocation and workgroup. */
interface BuiltIns {
  readonly invocation: Expr;
  readonly workgroup?: Expr;
}

/** Kernels that share their code. */
interface PackClass {
  /** With flat kernels, of any length: that of the part. */
  readonly kernel: Kernel;
  readonly isFlat: boolean;
  readonly parts: PackPart[];
}

class Packing {
  readonly #name: string;
  readonly #slabWords: readonly number[];
  readonly #classes: readonly PackClass[];
  /** Bindings of slabs, by "slab access". */
  readonly #bindingOf = new Map<string, number>();
  readonly #bindings: Binding[] = [];
  readonly #slabs: number[] = [];
  readonly #table: number[] = [];
  readonly #invocations: number;

  constructor(name: string, parts: readonly PackPart[], slabWords: readonly number[]) {
    this.#name = name;
    this.#slabWords = slabWords;
    this.#classes = classesOf(parts);
    this.#invocations = this.#classes.reduce((sum, group) => sum + invocationsOf(group), 0);
    const tableLength = this.#classes.reduce((sum, group) => sum + tableLengthOf(group), 0);
    this.#bindings.push({ type: "i32", access: "read", length: tableLength });
    this.#bind(parts);
  }

  run(): Packed {
    const workgroup = variable("i32", "workgroup", { min: 0, max: this.#invocations / LANES - 1 });
    const body: Statement[] = [];
    let start = 0;
    for (const [number, group] of this.#classes.entries()) {
      const end = start + invocationsOf(group) / LANES;
      const isHere = and(greaterEqual(workgroup, i32(start)), less(workgroup, i32(end)));
      const local = maximum(subtract(workgroup, i32(start)), i32(0));
      const inner = group.isFlat ? this.#flatBody(group, number, local) : this.#equalBody(group, number, local);
      body.push(...(isConstant(isHere, true) ? inner : [when(isHere, inner)]));
      start = end;
    }
    const keepsLoops = this.#classes.some(({ kernel }) => kernel.keepsLoops === true);
    const kernel = { name: this.#name, bindings: this.#bindings, invocations: this.#invocations, keepsLoops, body };
    return { kernel, table: Int32Array.from(this.#table), slabs: this.#slabs };
  }

  /** A slab that is written is bound writable once; what is read of it is another view of the same memory. */
  #bind(parts: readonly PackPart[]): void {
    for (const isWritten of [true, false]) {
      for (const { kernel, places } of parts) {
        for (const [i, { slab }] of places.entries()) {
          const { access } = present(kernel.bindings[i], "packKernels: a binding");
          assert(access !== "readWrite", `packKernels: expected arrays that are read or written, found ${access}`);
          const key = `${slab} ${access}`;
          if ((access === "write") !== isWritten || this.#bindingOf.has(key)) continue;
          const alias = this.#bindingOf.get(`${slab} write`);
          this.#bindingOf.set(key, this.#bindings.length);
          this.#slabs.push(slab);
          const binding: Binding = { type: "f32", access, length: this.#wordsOf(slab) };
          this.#bindings.push(alias === undefined || isWritten ? binding : { ...binding, aliasOf: alias });
        }
      }
    }
  }

  #wordsOf(slab: number): number {
    return present(this.#slabWords[slab], "packKernels: the length of a slab");
  }

  /** Equal kernels: the workgroup's number among theirs, `local`, tells the part. */
  #equalBody(group: PackClass, number: number, local: Expr): Statement[] {
    const { kernel, parts } = group;
    const each = paddedCount(kernel) / LANES;
    const part = minimum(divide(local, i32(each)), i32(parts.length - 1));
    const width = kernel.bindings.length;
    const at = this.#table.length;
    for (const { places } of parts) this.#table.push(...places.map(({ word }) => word));
    const own = remainder(local, i32(each));
    const place = add(multiply(own, i32(LANES)), LANE_VARIABLE);
    const names = this.#own(number, minimum(place, i32(kernel.invocations - 1)), kernel.invocations);
    const bases = kernel.bindings.map(({ length }, i) => {
      const entry = load(0, add(multiply(part, i32(width)), i32(at + i)), "i32");
      // Never so far on that the array would not fit.
      const last = Math.max(0, this.#wordsOf(slabOf(group, i)) - length);
      return minimum(maximum(entry, i32(0)), i32(last));
    });
    const inner = this.#inner(group, number, { invocation: names.use, workgroup: own }, bases);
    const isOwn = less(place, i32(kernel.invocations));
    return [names.statement, ...(isConstant(isOwn, true) ? inner : [when(isOwn, inner)])];
  }

  /** Flat kernels: a table tells for each block of elements whose it is. */
  #flatBody(group: PackClass, number: number, block: Expr): Statement[] {
    const { kernel, parts } = group;
    const width = kernel.bindings.length + 2;
    const blocksAt = this.#table.length;
    for (const [i, { kernel: own }] of parts.entries()) this.#table.push(...new Array<number>(blocksOf(own)).fill(i));
    const partsAt = this.#table.length;
    let firstBlock = 0;
    for (const { kernel: own, places } of parts) {
      this.#table.push(own.invocations, firstBlock, ...places.map(({ word }) => word));
      firstBlock += blocksOf(own);
    }
    const part = load(0, add(block, i32(blocksAt)), "i32");
    const entry = (i: number): Expr => load(0, add(multiply(part, i32(width)), i32(partsAt + i)), "i32");
    const first = add(multiply(subtract(block, entry(1)), i32(FLAT_BLOCK)), LANE_VARIABLE);
    const bases = kernel.bindings.map((_, i) => entry(i + 2));
    const step = variable("i32", `p${number}_step`, { min: 0, max: FLAT_EACH - 1 });
    const own = this.#own(number, add(first, multiply(step, i32(LANES))));
    const inner = this.#inner(group, number, { invocation: own.use }, bases);
    const body = [own.statement, when(less(own.use, entry(0)), inner)];
    return [{ kind: "for", name: `p${number}_step`, from: i32(0), to: i32(FLAT_EACH), body }];
  }

  #own(number: number, value: Expr, invocations?: number): { statement: Statement; use: Expr } {
    const name = `p${number}_own`;
    const range = invocations === undefined ? undefined : { min: 0, max: invocations - 1 };
    return { statement: { kind: "let", name, value }, use: variable("i32", name, range) };
  }

  /** The body of the class's kernel over slabs. */
  #inner(group: PackClass, number: number, built: BuiltIns, bases: readonly Expr[]): Statement[] {
    const { bindings, body } = group.kernel;
    const slabBinding = (binding: number): number => {
      const { access } = present(bindings[binding], "packKernels: a binding");
      return present(this.#bindingOf.get(`${slabOf(group, binding)} ${access}`), "packKernels: the binding of a slab");
    };
    const word = (binding: number, index: Expr): Expr =>
      add(present(bases[binding], "packKernels: a base"), index.type === "i32" ? index : bitcast("i32", index));
    const lengthOf = (binding: number): number => (group.isFlat ? Infinity : (bindings[binding]?.length ?? 1));
    return substitute(body, {
      name: (old) => `p${number}_${old}`,
      expr: (x) => {
        if (x.kind === "variable" && (x.name === "invocation" || x.name === "workgroup")) return built[x.name] ?? x;
        if (x.kind !== "load") return x;
        const index = clamped(x.index, lengthOf(x.binding));
        return fromWord(x.type, load(slabBinding(x.binding), word(x.binding, index), "f32"));
      },
      store: ({ binding, index, value }) => {
        const stored = store(slabBinding(binding), word(binding, index), value.type === "f32" ? value : bitcast("f32", value)); // prettier-ignore
        const length = lengthOf(binding);
        if (isInside(index, length)) return [stored];
        const place = index.type === "i32" ? index : bitcast("i32", index);
        return [when(and(greaterEqual(place, i32(0)), less(place, i32(length))), [stored])];
      },
    });
  }
}

function classesOf(parts: readonly PackPart[]): PackClass[] {
  const byKey = new Map<string, PackClass>();
  for (const part of parts) {
    const flat = flatForm(part.kernel);
    // Where an array lies decides which binding it is read from.
    const slabs = part.places.map(({ slab }) => slab).join();
    const key = `${flat === undefined ? "equal" : "flat"} ${slabs} ${kernelKey(flat?.kernel ?? part.kernel)}`;
    const places = part.places.map(({ slab, word }, i) => ({ slab, word: word + (flat?.offsets[i] ?? 0) }));
    const known = byKey.get(key) ?? { kernel: flat?.kernel ?? part.kernel, isFlat: flat !== undefined, parts: [] };
    known.parts.push({ kernel: part.kernel, places });
    byKey.set(key, known);
  }
  return [...byKey.values()];
}

function slabOf({ parts }: PackClass, binding: number): number {
  return present(parts[0]?.places[binding], "packKernels: a place").slab;
}

function paddedCount({ invocations }: Kernel): number {
  return Math.ceil(invocations / LANES) * LANES;
}

/** Blocks of a flat kernel, one a workgroup. */
function blocksOf({ invocations }: Kernel): number {
  return Math.ceil(invocations / FLAT_BLOCK);
}

function invocationsOf({ kernel, isFlat, parts }: PackClass): number {
  if (!isFlat) return parts.length * paddedCount(kernel);
  return parts.reduce((sum, part) => sum + blocksOf(part.kernel), 0) * LANES;
}

function tableLengthOf({ kernel, isFlat, parts }: PackClass): number {
  const width = kernel.bindings.length;
  if (!isFlat) return parts.length * width;
  return parts.reduce((sum, part) => sum + blocksOf(part.kernel) + width + 2, 0);
}

function fromWord(type: ScalarType, word: Expr): Expr {
  return type === "f32" ? word : bitcast(type, word);
}

function isInside(index: Expr, length: number): boolean {
  const { min, max } = rangeOf(index);
  return length === Infinity || (min >= 0 && max < length);
}

/** What a load of an array reads where its index is outside. */
function clamped(index: Expr, length: number): Expr {
  if (isInside(index, length)) return index;
  if (index.type === "u32") return minimum(index, { kind: "constant", type: "u32", value: length - 1 });
  return minimum(maximum(index, i32(0)), i32(length - 1));
}
