/**
 * Index expressions as linear forms over loop counters, so that questions about them can be decided.
 *
 * Sums, differences and multiples by constants are affine. `/` and `%` by a positive constant, of what cannot be negative, are
 * too, with one more variable: q = x / c is the whole number with 0 <= x - c * q < c. Everything else is not.
 */
import { rangeOf } from "../expr.ts";
import type { Expr } from "../kernel.ts";
import { addLinear, linear, type Linear } from "./integer-system.ts";

/** A variable q with 0 <= of - by * q < by. */
export interface Quotient {
  readonly name: string;
  readonly of: Linear;
  readonly by: number;
  /** The largest it can be; the smallest is 0. */
  readonly max: number;
}

/** A linear form, and the quotients that it is made of, each after those that it depends on. */
export interface Affine {
  readonly linear: Linear;
  readonly quotients: readonly Quotient[];
}

/** `x` over the counters `isCounter` knows; undefined where it is not affine. */
export function affineOf(x: Expr, isCounter: (name: string) => boolean): Affine | undefined {
  const quotients = new Map<string, Quotient>();
  const found = new Reader(isCounter, quotients).read(x);
  return found && { linear: found, quotients: [...quotients.values()] };
}

class Reader {
  readonly #isCounter: (name: string) => boolean;
  readonly #quotients: Map<string, Quotient>;

  constructor(isCounter: (name: string) => boolean, quotients: Map<string, Quotient>) {
    this.#isCounter = isCounter;
    this.#quotients = quotients;
  }

  /** Indices are small: this may recurse. */
  read(x: Expr): Linear | undefined {
    switch (x.kind) {
      case "constant":
        return linear(Number(x.value));
      case "variable":
        return this.#isCounter(x.name) ? linear(0, [[x.name, 1]]) : undefined;
      case "binary":
        return x.type === "i32" ? this.#readBinary(x) : undefined;
      case "unary": {
        const inner = x.op === "negate" ? this.read(x.x) : undefined;
        return inner && addLinear(linear(0), inner, -1);
      }
      default:
        return undefined;
    }
  }

  #readBinary(x: Expr & { kind: "binary" }): Linear | undefined {
    const a = this.read(x.a);
    const b = this.read(x.b);
    if (a === undefined || b === undefined) return undefined;
    switch (x.op) {
      case "add":
        return addLinear(a, b);
      case "subtract":
        return addLinear(a, b, -1);
      case "multiply":
        if (b.terms.size === 0) return addLinear(linear(0), a, b.constant);
        return a.terms.size === 0 ? addLinear(linear(0), b, a.constant) : undefined;
      case "divide":
      case "remainder": {
        const by = b.terms.size === 0 ? b.constant : 0;
        if (by < 1 || rangeOf(x.a).min < 0) return undefined;
        const quotient = this.#quotient(a, by, Math.floor(rangeOf(x.a).max / by));
        return x.op === "divide" ? quotient : addLinear(a, quotient, -by);
      }
      default:
        return undefined;
    }
  }

  #quotient(of: Linear, by: number, max: number): Linear {
    const name = `(${textOf(of)})/${by}`;
    if (!this.#quotients.has(name)) this.#quotients.set(name, { name, of, by, max });
    return linear(0, [[name, 1]]);
  }
}

/** The same for equal forms. */
export function textOf({ constant, terms }: Linear): string {
  const parts = [...terms].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, factor]) => `${factor}*${name}`);
  return [...parts, constant].join("+");
}
