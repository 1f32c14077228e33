/** A text that is the same for kernels that do the same: what compiled kernels are kept under. */
import type { Expr, Kernel, Statement } from "./kernel.ts";
import { operandsOf, visitOperandsFirst } from "./walk.ts";

/** Everything about `kernel` but its name. Linear in its distinct expressions, however often they are shared. */
export function kernelKey({ bindings, invocations, workgroup, keepsLoops, body }: Kernel): string {
  const parts = [`${invocations}${keepsLoops === true ? " keeps loops" : ""}`];
  if (workgroup !== undefined) {
    const shared = workgroup.shared.map(
      ({ type, length, isStoredFirst }) => `${type} ${length}${isStoredFirst === true ? " stored first" : ""}`,
    );
    parts.push(`lanes ${workgroup.lanes} ${shared.join()}`);
  }
  for (const { type, access, length, isShared, aliasOf } of bindings) {
    parts.push(`${type} ${access} ${length} ${isShared === true ? "shared" : ""} ${aliasOf ?? ""}`);
  }
  return `${parts.join(";")};${keyOfBody(body)}`;
}

/** Of bodies that came before: a plan that is made again has the same ones. */
const bodies = new WeakMap<readonly Statement[], string>();

function keyOfBody(body: readonly Statement[]): string {
  const known = bodies.get(body);
  if (known !== undefined) return known;
  const key = new KeyWriter().write(body);
  bodies.set(body, key);
  return key;
}

class KeyWriter {
  readonly #parts: string[] = [];
  readonly #ids = new Map<Expr, number>();
  readonly #byText = new Map<string, number>();

  write(body: readonly Statement[]): string {
    this.#statements(body);
    return this.#parts.join(";");
  }

  #statements(statements: readonly Statement[]): void {
    for (const statement of statements) {
      switch (statement.kind) {
        case "let":
        case "var":
        case "assign":
          this.#parts.push(`${statement.kind} ${statement.name} ${this.#id(statement.value)}`);
          break;
        case "store":
          this.#parts.push(`store ${statement.binding} ${this.#id(statement.index)} ${this.#id(statement.value)}`);
          break;
        case "storeShared":
          this.#parts.push(`shared ${statement.array} ${this.#id(statement.index)} ${this.#id(statement.value)}`);
          break;
        case "storePrivate":
          this.#parts.push(`private ${statement.name} ${this.#id(statement.index)} ${this.#id(statement.value)}`);
          break;
        case "array":
          this.#parts.push(`array ${statement.name} ${statement.type} ${statement.length}`);
          break;
        case "barrier":
          this.#parts.push("barrier");
          break;
        case "subgroup": {
          const { op, name, value, mask, lane } = statement;
          this.#parts.push(`subgroup ${op} ${name} ${this.#id(value)} ${mask} ${lane}`);
          break;
        }
        case "for":
          this.#parts.push(`for ${statement.name} ${this.#id(statement.from)} ${this.#id(statement.to)}{`);
          this.#statements(statement.body);
          this.#parts.push("}");
          break;
        case "if":
          this.#parts.push(`if ${this.#id(statement.condition)}{`);
          this.#statements(statement.body);
          this.#parts.push("}");
          break;
      }
    }
  }

  #id(root: Expr): number {
    visitOperandsFirst(
      root,
      (x) => this.#ids.has(x),
      (x) => {
        const text = `${textOf(x)} ${operandsOf(x).map((operand) => this.#ids.get(operand)).join()}`; // prettier-ignore
        let id = this.#byText.get(text);
        if (id === undefined) {
          id = this.#byText.size;
          this.#byText.set(text, id);
          this.#parts.push(text);
        }
        this.#ids.set(x, id);
      },
    );
    return this.#ids.get(root) ?? 0;
  }
}

function textOf(x: Expr): string {
  switch (x.kind) {
    case "constant":
      return `${x.type} ${Object.is(x.value, -0) ? "-0" : x.value}`;
    case "variable":
      return `${x.type} ${x.name}`;
    case "unary":
    case "binary":
      return `${x.type} ${x.op}`;
    case "load":
      return `${x.type} load ${x.binding}`;
    case "loadShared":
      return `${x.type} shared ${x.array}`;
    case "loadPrivate":
      return `${x.type} private ${x.name}`;
    case "select":
    case "cast":
    case "bitcast":
      return `${x.type} ${x.kind}`;
  }
}
