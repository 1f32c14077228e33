/**
 * How much arithmetic a kernel does, read off its tree: an estimate for reports, never a measurement.
 *
 * Every operation and function on f32 counts one, exp as much as add; integers, loads, conversions and selects count
 * nothing. A loop counts its body as often as it runs for the middle one of whatever surrounds it, so triangular loops
 * count their mean; one whose bounds are loaded counts once, and a condition as if it always held. What several
 * statements share counts once, as printers name it. What the lanes of a subgroup combine counts one for each of them.
 */
import { lanesOf, type Expr, type Kernel, type Statement, type SubgroupOp } from "./kernel.ts";
import { foldBinary, foldCast, foldUnary } from "./scalar-functions.ts";
import { expressionsOf, operandsOf, visitOperandsFirst } from "./walk.ts";

/** Those that compute; the others move values from lane to lane. */
const COMBINING: ReadonlySet<SubgroupOp> = new Set(["add", "maximum", "minimum", "product"]);
/** What subgroups most often have: only the device knows. */
const SUBGROUP_SIZE = 32;

/** Floating-point operations of one dispatch of `kernel`. */
export function countOperations(kernel: Kernel): number {
  return kernel.invocations * new Counter(kernel).block(kernel.body);
}

type Scalar = number | boolean | null;

class Counter {
  /** What surrounds the statement at hand has counted these. */
  readonly #counted = new Set<Expr>();
  /** Values of names where they are known: of counters and of the invocation, the middle one. */
  readonly #values = new Map<string, Scalar>();

  constructor(kernel: Kernel) {
    const lanes = lanesOf(kernel);
    const middle = Math.floor((kernel.invocations - 1) / 2);
    this.#values.set("invocation", middle);
    this.#values.set("workgroup", Math.floor(middle / lanes));
    this.#values.set("lane", middle % lanes);
    this.#values.set("subgroupSize", SUBGROUP_SIZE);
    this.#values.set("subgroupLane", middle % SUBGROUP_SIZE);
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
    const operations = this.#count(expressionsOf(statement), own);
    switch (statement.kind) {
      case "let":
        this.#values.set(statement.name, this.#evaluate(statement.value));
        return operations;
      case "subgroup":
        return operations + (COMBINING.has(statement.op) && statement.value.type === "f32" ? 1 : 0);
      case "if":
        return operations + this.block(statement.body);
      case "for": {
        const { name, from, to, body } = statement;
        const [first, end] = [this.#evaluate(from), this.#evaluate(to)];
        const isKnown = typeof first === "number" && typeof end === "number";
        const trips = isKnown ? Math.max(0, end - first) : 1;
        this.#values.set(name, isKnown ? first + Math.floor(Math.max(0, trips - 1) / 2) : null);
        return operations + (trips === 0 ? 0 : trips * this.block(body));
      }
      default:
        return operations;
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
