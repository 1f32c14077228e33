/**
 * The statements of a numbered kernel as WebAssembly.
 *
 * Where lanes part, both ways are gone with a mask of the lanes that take it; a way that no lane takes is left out.
 */
import { assert, present } from "../../../base/assert.ts";
import type { ArrayPlace } from "../array-place.ts";
import type { Block, Line, Scope, Value } from "../numbered-kernel.ts";
import type { Placing } from "../placing.ts";
import type { Code, Local } from "./code.ts";
import { scalarTypeOf, shiftOf, VECTOR_BYTES, type Frame, type Slot } from "./frame.ts";
import { LANES, type LaneForms, type VectorMode } from "./lane-forms.ts";
import { Stores } from "./stores.ts";
import { subgroup } from "./subgroup.ts";
import { slotTypeOf, type Values } from "./values.ts";
import type { VectorUses } from "./vector-uses.ts";

/** What the lines of one function share. */
export interface LinesContext {
  readonly values: Values;
  readonly placing: Placing;
  readonly mode: VectorMode;
  /** See `usedByVectorsOnly`. */
  readonly keptAsVectors: VectorUses;
}

/** Private arrays of up to so many vectors are cleared by stores. */
const CLEARED_MAX = 16;

export class Lines {
  readonly #values: Values;
  readonly #frame: Frame;
  readonly #forms: LaneForms;
  readonly #placing: Placing;
  readonly #mode: VectorMode;
  readonly #kept: VectorUses;
  readonly #code: Code;
  readonly #stores: Stores;
  /** The lanes that are here; undefined where all are. */
  #mask: Local | undefined;
  /** Diverging conditions around. */
  #depth = 0;
  /** Names are for all vectors of a workgroup, which run in turns. */
  #isForAllVectors = false;

  constructor({ values, placing, mode, keptAsVectors }: LinesContext) {
    this.#values = values;
    this.#frame = values.frame;
    this.#forms = values.forms;
    this.#placing = placing;
    this.#mode = mode;
    this.#kept = keptAsVectors;
    this.#code = values.frame.code;
    this.#stores = new Stores(values.frame, values.forms, values, mode.width === 1);
  }

  /** Does `body` where only the lanes of `mask` are; names are for all vectors if that is said. */
  with(mask: Local | undefined, isForAllVectors: boolean, body: () => void): void {
    const before = [this.#mask, this.#isForAllVectors] as const;
    [this.#mask, this.#isForAllVectors] = [mask, isForAllVectors];
    this.#values.loads.inBlock(body);
    [this.#mask, this.#isForAllVectors] = before;
  }

  block(block: Block): void {
    for (const [index, line] of block.lines.entries()) this.at(block.scope, index, line);
  }

  /** A line of a block, and what is computed before it. */
  at(scope: Scope, index: number, line: Line): void {
    for (const value of this.letsAt(scope, index)) if (!this.#values.isTemporary(value)) this.name(value);
    this.#line(line);
  }

  /** What is computed before a line, operands first. */
  letsAt(scope: Scope, index: number): readonly Value[] {
    return this.#placing.lets(scope, index);
  }

  /** Computes a value that has a name. */
  name(value: Value): void {
    const isVector = this.#kept.values.has(value.id) && this.#isPlain(value);
    const type = isVector ? "v128" : slotTypeOf(this.#forms, value);
    const slot = this.#slot(type);
    this.#frame.write(slot, () => (type === "v128" ? this.#values.vector(value) : this.#values.scalar(value)));
    this.#values.setTemporary(value, slot);
  }

  /** A loop whose bounds all lanes share; `isOutside` of one that goes around all vectors of a workgroup. */
  evenFor(line: Line & { kind: "for" }, isOutside: boolean, body: () => void): void {
    const { name, from, to } = line;
    const code = this.#code;
    const [counter, end] = [code.local("i32"), code.local("i32")];
    this.#values.scalar(to);
    code.set(end);
    this.#values.scalar(from);
    code.set(counter);
    this.#values.setName(name, { type: "i32", local: counter });
    const isThere = (): void => {
      code.get(counter);
      code.get(end);
      code.op("i32.lt_s");
    };
    const write = (increasePointers?: () => void): void =>
      code.while(isThere, () => {
        this.#values.loads.inBlock(body);
        increasePointers?.();
        increase(code, counter);
      });
    if (isOutside) write();
    else this.#values.loads.pointers.around(line, counter, write);
  }

  #slot(type: Slot["type"]): Slot {
    return this.#frame.slot(type, this.#isForAllVectors);
  }

  #line(line: Line): void {
    switch (line.kind) {
      case "nothing":
      case "barrier":
        // The lanes of a vector are never apart.
        return;
      case "define":
        return this.#define(line);
      case "assign":
        return this.#assign(line);
      case "for":
        if (this.#forms.diverges(line)) return this.#unevenFor(line);
        return this.evenFor(line, false, () => this.block(line.body));
      case "if":
        return this.#if(line);
      case "store": {
        const [value] = line.values;
        return this.#stores.store(line.array, line.index, present(value, "print: a stored value"), this.#mask);
      }
      case "array":
        return this.#array(line.array);
      case "subgroup":
        return this.#subgroup(line);
      case "each":
        return this.block(line.body);
    }
  }

  #define({ name, value, isMutable }: Line & { kind: "define" }): void {
    const isVector = isMutable ? this.#forms.isVaryingName(name) : this.#kept.names.has(name) && this.#isPlain(value);
    const type = isVector ? "v128" : slotTypeOf(this.#forms, value);
    const slot = this.#slot(type);
    this.#frame.write(slot, () => (type === "v128" ? this.#values.vector(value) : this.#values.scalar(value)));
    this.#values.setName(name, slot);
  }

  /** A number that all lanes have. */
  #isPlain(value: Value): boolean {
    return this.#forms.of(value).stride === 0 && value.expr.type !== "bool";
  }

  #assign({ name, value }: Line & { kind: "assign" }): void {
    const slot = this.#values.slotOf(name);
    const mask = this.#depth > this.#forms.depthOf(name) ? this.#mask : undefined;
    this.#frame.write(slot, () => {
      if (slot.type !== "v128") return this.#values.scalar(value);
      this.#values.vector(value);
      if (mask === undefined) return;
      this.#frame.read(slot);
      this.#code.get(mask);
      this.#code.op("v128.bitselect");
    });
  }

  #if({ condition, body }: Line & { kind: "if" }): void {
    const code = this.#code;
    if (!this.#forms.isVarying(condition)) {
      this.#values.scalar(condition);
      return code.if(() => this.#values.loads.inBlock(() => this.block(body)));
    }
    const mask = code.local("v128");
    this.#values.vector(condition);
    this.#andMask();
    code.tee(mask);
    code.op("v128.any_true");
    code.if(() => this.#parted(mask, () => this.block(body)));
  }

  /** The mask on the stack, without the lanes that are not here. */
  #andMask(): void {
    if (this.#mask === undefined) return;
    this.#code.get(this.#mask);
    this.#code.op("v128.and");
  }

  #parted(mask: Local, body: () => void): void {
    this.#depth += 1;
    this.with(mask, this.#isForAllVectors, body);
    this.#depth -= 1;
  }

  /** A loop that lanes leave at different times. */
  #unevenFor({ name, from, to, body }: Line & { kind: "for" }): void {
    const code = this.#code;
    const isOneCounter = this.#forms.of(from).stride === 0;
    const [end, mask] = [code.local("v128"), code.local("v128")];
    const counter = code.local(isOneCounter ? "i32" : "v128");
    this.#values.vector(to);
    code.set(end);
    if (isOneCounter) this.#values.scalar(from);
    else this.#values.vector(from);
    code.set(counter);
    // What lanes that have left see must be a value that the counter can have.
    const seen = isOneCounter ? counter : code.local("v128");
    this.#values.setName(name, { type: isOneCounter ? "i32" : "v128", local: seen });
    const condition = (): void => {
      code.get(counter);
      if (isOneCounter) code.op("i32x4.splat");
      code.get(end);
      code.op("i32x4.lt_s");
      this.#andMask();
      code.tee(mask);
      code.op("v128.any_true");
    };
    code.while(condition, () => {
      if (!isOneCounter) this.#hideFromOthers(counter, seen, mask, from.range.min);
      this.#parted(mask, () => this.block(body));
      if (isOneCounter) return increase(code, counter);
      code.get(counter);
      code.i32x4(1);
      code.op("i32x4.add");
      code.set(counter);
    });
  }

  #hideFromOthers(counter: Local, seen: Local, mask: Local, least: number): void {
    const code = this.#code;
    code.get(counter);
    code.i32x4(least);
    code.get(mask);
    code.op("v128.bitselect");
    code.set(seen);
  }

  #array({ name, length }: ArrayPlace): void {
    const { width } = this.#mode;
    // Elements of the vectors of a workgroup lie side by side.
    const vectors = this.#isForAllVectors ? 2 ** Math.ceil(Math.log2(this.#frame.vectors)) : 1;
    const elementBytes = width === 1 ? 4 : VECTOR_BYTES * vectors;
    const offset = this.#frame.take(length * elementBytes);
    const base = this.#isForAllVectors ? this.#frame.vectorScratch : this.#frame.scratch;
    this.#frame.bind(name, { base, offset, shift: shiftOf(elementBytes), isPerLane: width === LANES });
    this.#clear(base, offset, length, elementBytes);
  }

  #clear(base: Local, offset: number, length: number, elementBytes: number): void {
    const code = this.#code;
    const [bytes, count] =
      elementBytes >= VECTOR_BYTES ? [elementBytes, length] : [VECTOR_BYTES, Math.ceil(length / 4)];
    const clear = (pushAddress: () => void, at: number): void => {
      pushAddress();
      code.i32x4(0);
      code.memory("v128.store", at);
    };
    if (count <= CLEARED_MAX) {
      for (let i = 0; i < count; i++) clear(() => code.get(base), offset + i * bytes);
      return;
    }
    const [address, end] = [code.local("i32"), code.local("i32")];
    code.get(base);
    code.tee(address);
    code.i32(count * bytes);
    code.op("i32.add");
    code.set(end);
    const isBefore = (): void => {
      code.get(address);
      code.get(end);
      code.op("i32.lt_u");
    };
    code.while(isBefore, () => {
      clear(() => code.get(address), offset);
      increase(code, address, bytes);
    });
  }

  #subgroup(line: Line & { kind: "subgroup" }): void {
    const { name, value, op } = line;
    assert(this.#depth === 0, `print: expected subgroup ${op} where all lanes are`);
    const isVarying = this.#forms.isVaryingName(name);
    const slot = this.#slot(isVarying ? "v128" : scalarTypeOf(value.expr.type));
    this.#frame.write(slot, () => subgroup(this.#code, line, () => this.#values.vector(value), this.#mask));
    this.#values.setName(name, slot);
  }
}

function increase(code: Code, local: Local, by: number = 1): void {
  code.get(local);
  code.i32(by);
  code.op("i32.add");
  code.set(local);
}
