/**
 * Addresses that go up by as much in each round of a loop: they are computed once, before it, and then increased.
 *
 * Indices are written out anew at each use; to compute such addresses from the loop's counter takes as many
 * instructions as the products of a tile. Neighbours share one address, since instructions add a constant for nothing.
 */
import type { Line, Value } from "../numbered-kernel.ts";
import type { Code, Local } from "./code.ts";

/** Of a loop: each is kept in a register. */
const POINTERS_MAX = 6;
/** Elements that an instruction adds. */
const CONSTANT_MAX = 2 ** 28;

/** Where the parts of addresses come from. */
export interface Parts {
  /** Pushes what all lanes have, or lane 0 has. */
  scalar(value: Value): void;
  /** Values that are named from now on are not known before this mark. */
  mark(): number;
  /** True for a value that was named before `mark`. */
  isNamedBefore(value: Value, mark: number): boolean;
}

/** index = step * counter + the sum of factor * value + constant */
interface Linear {
  readonly step: number;
  readonly rest: readonly (readonly [Value, number])[];
  readonly constant: number;
}

interface Pointer {
  readonly local: Local;
  /** Instructions that give it its first value, and bytes of a round. */
  readonly start: readonly number[];
  readonly stepBytes: number;
}

interface Loop {
  readonly line: Line & { kind: "for" };
  readonly counter: Local;
  readonly mark: number;
  readonly pointers: Map<string, Pointer>;
}

export class Pointers {
  readonly #code: Code;
  readonly #parts: Parts;
  /** Those around, the innermost last. */
  readonly #loops: Loop[] = [];

  constructor(code: Code, parts: Parts) {
    this.#code = code;
    this.#parts = parts;
  }

  /** Writes a loop by `write`, which calls `increase` at the end of each round; `counter` has its first value already. */
  around(line: Line & { kind: "for" }, counter: Local, write: (increase: () => void) => void): void {
    const loop: Loop = { line, counter, mark: this.#parts.mark(), pointers: new Map() };
    const written = this.#code.apart(() => {
      this.#loops.push(loop);
      write(() => this.#increase(loop));
      this.#loops.pop();
    });
    for (const { start } of loop.pointers.values()) this.#code.append(start);
    this.#code.append(written);
  }

  /**
   * Pushes an address that `base + (index << shift)` is a constant away from, and gives that constant, in bytes;
   * undefined where no loop around has such an address. The index is inside its array, its sum never below 0.
   */
  address(base: Local, shift: number, index: Value): number | undefined {
    for (const loop of this.#loops.toReversed()) {
      const linear = this.#linearIn(loop, index);
      if (linear === undefined) return undefined;
      if (linear.step === 0) continue;
      const pointer = this.#pointer(loop, base, shift, linear);
      if (pointer === undefined) return undefined;
      this.#code.get(pointer.local);
      return linear.constant * 2 ** shift;
    }
    return undefined;
  }

  #increase({ pointers }: Loop): void {
    for (const { local, stepBytes } of pointers.values()) {
      this.#code.get(local);
      this.#code.i32(stepBytes);
      this.#code.op("i32.add");
      this.#code.set(local);
    }
  }

  #pointer(loop: Loop, base: Local, shift: number, { step, rest }: Linear): Pointer | undefined {
    const key = [base, shift, step, ...rest.map(([{ id }, factor]) => `${id}*${factor}`).sort()].join();
    const known = loop.pointers.get(key);
    if (known !== undefined || loop.pointers.size === POINTERS_MAX) return known;
    const code = this.#code;
    const local = code.local("i32");
    const start = code.apart(() => {
      code.get(base);
      code.get(loop.counter);
      this.#times(step);
      for (const [value, factor] of rest) {
        this.#parts.scalar(value);
        this.#times(factor);
        code.op("i32.add");
      }
      code.i32(shift);
      code.op("i32.shl", "i32.add");
      code.set(local);
    });
    const pointer = { local, start, stepBytes: step * 2 ** shift };
    loop.pointers.set(key, pointer);
    return pointer;
  }

  #times(factor: number): void {
    if (factor === 1) return;
    this.#code.i32(factor);
    this.#code.op("i32.mul");
  }

  /** `index` by the counter of a loop, if what else it is made of is known before the loop; all of it 0 or above. */
  #linearIn({ line, mark }: Loop, index: Value): Linear | undefined {
    let linear: Linear = { step: 0, rest: [], constant: 0 };
    const visit = (value: Value, factor: number): boolean => {
      const { step, rest, constant } = linear;
      const { expr, operands } = value;
      const [a, b] = operands;
      if (expr.kind === "constant") {
        linear = { step, rest, constant: constant + factor * Number(expr.value) };
        return true;
      }
      if (expr.kind === "variable" && expr.name === line.name) {
        linear = { step: step + factor, rest, constant };
        return true;
      }
      const isSum = expr.kind === "binary" && expr.op === "add";
      // Its parts may be constants, which cost nothing.
      if (isSum && operands.every((operand) => visit(operand, factor))) return true;
      linear = { step, rest, constant };
      if (this.#isKnown(value, line, mark)) {
        linear = { step, rest: [...rest, [value, factor]], constant };
        return true;
      }
      const isScaled = expr.kind === "binary" && expr.op === "multiply" && b?.expr.kind === "constant";
      return isScaled && a !== undefined && visit(a, factor * Number(b.expr.value));
    };
    if (!visit(index, 1)) return undefined;
    const { step, rest, constant } = linear;
    const isPositive = rest.every(([{ range }, factor]) => range.min >= 0 && factor > 0) && line.from.range.min >= 0;
    return isPositive && step >= 0 && constant >= 0 && constant <= CONSTANT_MAX ? linear : undefined;
  }

  /** Can be computed before the loop, of what has a name there. */
  #isKnown(value: Value, line: Line & { kind: "for" }, mark: number): boolean {
    if (value.isVolatile || value.home.depth >= line.body.scope.depth) return false;
    if (this.#parts.isNamedBefore(value, mark)) return true;
    const { expr, operands } = value;
    if (expr.kind === "variable") return true;
    const isProduct = expr.kind === "binary" && expr.op === "multiply";
    return isProduct && operands.every((each) => each.expr.kind === "constant" || this.#isKnown(each, line, mark));
  }
}
