/** Functions that printed kernels call: those of integers that are too long to be written at each use. */
import { present } from "../../../base/assert.ts";
import { Code, type Local, type WasmType } from "./code.ts";
import { divideSigned, divideUnsigned, powerSigned, powerUnsigned } from "./integer-functions.ts";
import type { ImportedFunction, WasmFunction } from "./module.ts";

/** By name. */
export type LibraryFunction = "divideSigned" | "divideUnsigned" | "powerSigned" | "powerUnsigned";

/** What every module gets from outside: exact in doubles, and asked for too seldom to be written here. */
export const IMPORTS: readonly ImportedFunction[] = [
  { name: "pow", params: ["f64", "f64"], results: ["f64"] },
  { name: "remainder", params: ["f64", "f64"], results: ["f64"] },
];

/** The numbers of `IMPORTS`. */
export const IMPORTED = { pow: 0, remainder: 1 } as const;

/** The functions that one module needs, each written when it is first asked for. */
export class Library {
  readonly functions: WasmFunction[] = [];
  readonly #indices = new Map<LibraryFunction, number>();

  /** Calls a function on what is on the stack. */
  call(code: Code, name: LibraryFunction): void {
    code.call(this.#indexOf(name));
  }

  #indexOf(name: LibraryFunction): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const written = this.#write(name);
    this.functions.push(written);
    const index = IMPORTS.length + this.functions.length - 1;
    this.#indices.set(name, index);
    return index;
  }

  #write(name: LibraryFunction): WasmFunction {
    switch (name) {
      case "divideSigned":
        return ofIntegers(divideSigned);
      case "divideUnsigned":
        return ofIntegers(divideUnsigned);
      case "powerUnsigned":
        return ofIntegers(powerUnsigned);
      case "powerSigned":
        return ofIntegers((code, a, b) => powerSigned(code, a, b, () => this.call(code, "powerUnsigned")));
    }
  }
}

function ofIntegers(write: (code: Code, a: Local, b: Local) => void): WasmFunction {
  return written(["i32", "i32"], (code) => write(code, 0, 1));
}

function written(params: readonly WasmType[], write: (code: Code) => void): WasmFunction {
  const code = new Code(params);
  write(code);
  return { code, results: [present(params[0], "library: a parameter")] };
}
