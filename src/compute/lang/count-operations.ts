/**
 * How much arithmetic a kernel does, read off its tree: an estimate for reports, never a measurement.
 *
 * Every operation and function on f32 counts one, exp as much as add; integers, loads, conversions and selects count
 * nothing. A loop counts its body as often as it runs for the middle one of whatever surrounds it, so triangular loops
 * count their mean; one whose bounds are loaded counts once, and a condition as if it always held. What several
 * statements share counts once, as printers name it.
 */
import type { Expr, Kernel, Statement } from "./kernel.ts";
import { foldBinary, foldCast, foldUnary } from "./scalar-functions.ts";
import { operandsOf, visitOperandsFirst } from "./walk.ts";

/** Floating-point operations of one dispatch of `kernel`. */
export function countOperations(kernel: Kernel): number {
  return kernel.invocations * new Counter(kernel.invocations).block(kernel.body);
}

type Scalar = number | boolean | null;

class Counter {
  /** What surrounds the statement at hand has counted these. */
  readonly #counted = new Set<Expr>();
  /** Values of names where they are known: of counters and of the invocation, the middle one. */
  readonly #values = new Map<string, Scalar>();

  constructor(invocations: number) {
    this.#values.set("invocation", Math.floor((invocations - 1) / 2));
  }

  /** Operations of one run of `statements`. */
  block(statements: readonly Statement[]): number {
    const own: Expr[] = [];
    let operations = 0;
    for (const statement of statements) operations += this.#statement(statement, own);
    for (const x of own) this.#counted.delete(x);
    return operations;
  }

  #statement(statement: Statement, own: Expr[]): number {
    switch (statement.kind) {
      case "let":
        this.#values.set(statement.name, this.#evaluate(statement.value));
        return this.#count([statement.value], own);
      case "var":
      case "assign":
      case "subgroup":
        return this.#count([statement.value], own);
      case "array":
      case "barrier":
        return 0;
      case "store":
      case "storeShared":
      case "storePrivate":
        return this.#count([statement.index, statement.value], own);
      case "if":
        return this.#count([statement.condition], own) + this.block(statement.body);
      case "for": {
        const { name, from, to, body } = statement;
        const [first, end] = [this.#evaluate(from), this.#evaluate(to)];
        const isKnown = typeof first === "number" && typeof end === "number";
        const trips = isKnown ? Math.max(0, end - first) : 1;
        this.#values.set(name, isKnown ? first + Math.floor(Math.max(0, trips - 1) / 2) : null);
        return this.#count([from, to], own) + (trips === 0 ? 0 : trips * this.block(body));
      }
    }
  }

  /** Operations of `roots` that nothing around them has counted; from now on they are, until `own` is taken back. */
  #count(roots: readonly Expr[], own: Expr[]): number {
    let operations = 0;
    for (const root of roots) {
      visitOperandsFirst(
        root,
        (x) => this.#counted.has(x),
        (x) => {
          this.#counted.add(x);
          own.push(x);
          if (isOperation(x)) operations += 1;
        },
      );
    }
    return operations;
  }

  /** The value of `x`, or null where it depends on memory or on a `var`. */
  #evaluate(root: Expr): Scalar {
    const known = new Map<Expr, Scalar>();
    visitOperandsFirst(
      root,
      (x) => known.has(x),
      (x) => {
        const operands = operandsOf(x).map((operand) => known.get(operand) ?? null);
        known.set(x, this.#valueOf(x, operands));
      },
    );
    return known.get(root) ?? null;
  }

  #valueOf(x: Expr, [a = null, b = null, c = null]: readonly Scalar[]): Scalar {
    switch (x.kind) {
      case "constant":
        return x.value;
      case "variable":
        return this.#values.get(x.name) ?? null;
      case "unary":
        return a === null ? null : foldUnary(x.op, x.type, a);
      case "binary":
        return a === null || b === null ? null : foldBinary(x.op, x.a.type, a, b);
      case "select":
        return a === null ? null : a === true ? b : c;
      case "cast":
        return a === null ? null : foldCast(x.type, x.x.type, a);
      default:
        return null;
    }
  }
}

/** True for arithmetic on f32, comparisons included. */
function isOperation(x: Expr): boolean {
  if (x.kind === "unary") return x.x.type === "f32";
  return x.kind === "binary" && x.a.type === "f32";
}
