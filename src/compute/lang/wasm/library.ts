/** Functions that printed kernels call: those of floats and integers that are too long to be written at each use. */
import { present } from "../../../base/assert.ts";
import { Code, type Local, type WasmType } from "./code.ts";
import { cos, erf, exp, log, sin, tanh } from "./float-functions.ts";
import { divideSigned, divideUnsigned, powerSigned, powerUnsigned } from "./integer-functions.ts";
import type { ImportedFunction, WasmFunction } from "./module.ts";
import { VectorMath, type Push } from "./vector-math.ts";

/** By name. */
export type LibraryFunction =
  | "exp" | "log" | "sin" | "cos" | "tanh" | "erf"
  | "divideSigned" | "divideUnsigned" | "powerSigned" | "powerUnsigned"; // prettier-ignore

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
      case "exp":
        return ofVector(exp);
      case "log":
        return ofVector(log);
      case "sin":
        return ofVector(sin);
      case "cos":
        return ofVector(cos);
      case "tanh":
        return ofVector((m, x) => tanh(m, x, this.#expIn(m)));
      case "erf":
        return ofVector((m, x) => erf(m, x, this.#expIn(m)));
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

  #expIn({ code }: VectorMath): (x: Push) => Push {
    return (x) => () => {
      x();
      this.call(code, "exp");
    };
  }
}

function ofVector(write: (m: VectorMath, x: Push) => Push): WasmFunction {
  return written(["v128"], (code) => write(new VectorMath(code), () => code.get(0))());
}

function ofIntegers(write: (code: Code, a: Local, b: Local) => void): WasmFunction {
  return written(["i32", "i32"], (code) => write(code, 0, 1));
}

function written(params: readonly WasmType[], write: (code: Code) => void): WasmFunction {
  const code = new Code(params);
  write(code);
  return { code, results: [present(params[0], "library: a parameter")] };
}
