/** Prints a kernel for a target: the target says how an operation reads, this says in what order and under what names. */
import type { ArrayPlace } from "./array-place.ts";
import type { BuiltInName, Kernel, ScalarType } from "./kernel.ts";
import { isInside, type Block, type Line, type NumberedKernel, type Scope, type Value } from "./numbered-kernel.ts";
import { numberKernel } from "./numbering.ts";
import { placeValues, type Placing } from "./placing.ts";
import { printedName } from "./printed-name.ts";
import { NO_VECTORS, type VectorAccess } from "./vector-access.ts";

/** The syntax of one language. Texts of operands are atoms or parenthesised. */
export interface Target {
  /** An operation, a literal or a name, as an atom or parenthesised. */
  expression(value: Value, operands: readonly string[]): string;
  define(name: string, type: ScalarType, text: string, isMutable: boolean): string;
  assign(name: string, text: string): string;
  /** One value; or those of a vector at its index, if the target was printed with vector accesses. */
  store(array: ArrayPlace, index: string, values: readonly string[]): string;
  /** A private array begins, all zeros. */
  declare(array: ArrayPlace): string;
  barrier(): readonly string[];
  /** The name is that of the result. */
  subgroup(line: Line & { kind: "subgroup" }, name: string, text: string): string;
  /** The opening lines of blocks; each is closed by `}`. */
  openFor(name: string, from: string, to: string): string;
  openIf(condition: string): string;
  /** True when `index`, unknown to be inside, is inside `array`. */
  inside(index: string, indexType: ScalarType, array: ArrayPlace): string;
  /** What surrounds the body of an invocation. Asked for when the body is printed. */
  openEach(builtIns: ReadonlySet<BuiltInName>): readonly string[];
  closeEach(): readonly string[];
}

/** The lines of a kernel's body, with the vector accesses that the target is to make. */
export function printBody(kernel: Kernel, target: Target, vectors: VectorAccess = NO_VECTORS): string[] {
  const numbered = numberKernel(kernel, vectors);
  return new Printer(numbered, target, placeValues(numbered)).block(numbered.root, "  ");
}

class Printer {
  readonly #kernel: NumberedKernel;
  readonly #target: Target;
  readonly #placing: Placing;

  constructor(kernel: NumberedKernel, target: Target, placing: Placing) {
    this.#kernel = kernel;
    this.#target = target;
    this.#placing = placing;
  }

  block(block: Block, indent: string): string[] {
    const out: string[] = [];
    for (const [index, line] of block.lines.entries()) {
      for (const text of this.#lets(block.scope, index)) out.push(indent + text);
      out.push(...this.#line(line, indent));
    }
    return out;
  }

  #lets(scope: Scope, index: number): string[] {
    return this.#placing.lets(scope, index).map((value) => {
      const text = this.#operation(value);
      return this.#target.define(temporaryName(value), value.expr.type, text, false);
    });
  }

  #line(line: Line, indent: string): string[] {
    const target = this.#target;
    const inner = `${indent}  `;
    switch (line.kind) {
      case "nothing":
        return [];
      case "define": {
        const name = printedName(line.name);
        return [indent + target.define(name, line.value.expr.type, this.#text(line.value), line.isMutable)];
      }
      case "assign":
        return [indent + target.assign(printedName(line.name), this.#text(line.value))];
      case "store":
        return this.#store(line, indent);
      case "for": {
        const open = target.openFor(printedName(line.name), this.#text(line.from), this.#text(line.to));
        return [indent + open, ...this.block(line.body, inner), `${indent}}`];
      }
      case "if":
        return [indent + target.openIf(this.#text(line.condition)), ...this.block(line.body, inner), `${indent}}`];
      case "array":
        return [indent + target.declare(line.array)];
      case "barrier":
        return target.barrier().map((text) => indent + text);
      case "subgroup":
        return [indent + target.subgroup(line, printedName(line.name), this.#text(line.value))];
      case "each": {
        const flat = this.block(line.body, indent);
        const open = target.openEach(this.#kernel.builtIns);
        const body = open.at(-1)?.endsWith("{") === true ? flat.map((text) => `  ${text}`) : flat;
        return [...open.map((text) => indent + text), ...body, ...target.closeEach().map((text) => indent + text)];
      }
    }
  }

  #store({ array, index: at, values }: Line & { kind: "store" }, indent: string): string[] {
    const index = this.#text(at);
    const texts = values.map((value) => this.#text(value));
    const store = this.#target.store(array, index, texts);
    if (values.length > 1 || isInside(at, array)) return [indent + store];
    const open = this.#target.openIf(this.#target.inside(index, at.expr.type, array));
    return [indent + open, `${indent}  ${store}`, `${indent}}`];
  }

  /** A use of a value: its name, or all of it. Nesting is bounded by `placeValues`. */
  #text(value: Value): string {
    return this.#placing.isNamed(value) ? temporaryName(value) : this.#operation(value);
  }

  #operation(value: Value): string {
    const operands = value.operands.map((operand) => this.#text(operand));
    return this.#target.expression(value, operands);
  }
}

function temporaryName(value: Value): string {
  return `t${value.id}`;
}
