/** Private arrays that only constants index, as variables: registers on every device, whatever its compiler makes of arrays. */
import { constant, variable } from "./expr.ts";
import type { Expr, PlainType, Statement } from "./kernel.ts";
import { rebuild } from "./rebuild.ts";
import { expressionsOf, visitOperandsFirst } from "./walk.ts";

/** Larger arrays stay what they are. */
const LENGTH_MAX = 256;

/** The same statements with a `var` in place of each element. No name may end in `_at` and a number. */
export function scalarizeArrays(body: readonly Statement[]): readonly Statement[] {
  const arrays = new Map<string, { readonly type: PlainType; readonly length: number }>();
  const seen = new Set<Expr>();
  const keep = (name: string, index: Expr): void => {
    const { length = 0 } = arrays.get(name) ?? {};
    const isInside = index.kind === "constant" && Number(index.value) >= 0 && Number(index.value) < length;
    if (!isInside) arrays.delete(name);
  };
  forEachStatement(body, (statement) => {
    if (statement.kind === "array" && statement.length <= LENGTH_MAX) arrays.set(statement.name, statement);
    if (statement.kind === "storePrivate") keep(statement.name, statement.index);
    for (const root of expressionsOf(statement)) {
      visitOperandsFirst(
        root,
        (x) => seen.has(x),
        (x) => {
          seen.add(x);
          if (x.kind === "loadPrivate") keep(x.name, x.index);
        },
      );
    }
  });
  return arrays.size === 0 ? body : scalarized(body, arrays);
}

function elementName(name: string, index: number): string {
  return `${name}_at${index}`;
}

function scalarized(
  body: readonly Statement[],
  arrays: ReadonlyMap<string, { readonly type: PlainType; readonly length: number }>,
): Statement[] {
  const memo = new Map<Expr, Expr>();
  const exchange = (x: Expr): Expr =>
    rebuild(
      x,
      (part) =>
        part.kind === "loadPrivate" && arrays.has(part.name) && part.index.kind === "constant"
          ? variable(part.type, elementName(part.name, Number(part.index.value)))
          : undefined,
      memo,
    );
  return body.flatMap((statement): Statement[] => {
    switch (statement.kind) {
      case "array": {
        const { name, type, length } = statement;
        if (!arrays.has(name)) return [statement];
        return Array.from({ length }, (_, i) => ({
          kind: "var",
          name: elementName(name, i),
          value: constant(type, 0),
        }));
      }
      case "storePrivate": {
        const { name, index } = statement;
        const value = exchange(statement.value);
        if (!arrays.has(name) || index.kind !== "constant") return [{ ...statement, index: exchange(index), value }];
        return [{ kind: "assign", name: elementName(name, Number(index.value)), value }];
      }
      case "let":
      case "var":
      case "assign":
      case "subgroup":
        return [{ ...statement, value: exchange(statement.value) }];
      case "store":
      case "storeShared":
        return [{ ...statement, index: exchange(statement.index), value: exchange(statement.value) }];
      case "for": {
        const [from, to] = [exchange(statement.from), exchange(statement.to)];
        return [{ ...statement, from, to, body: scalarized(statement.body, arrays) }];
      }
      case "if":
        return [{ ...statement, condition: exchange(statement.condition), body: scalarized(statement.body, arrays) }];
      case "barrier":
        return [statement];
    }
  });
}

function forEachStatement(body: readonly Statement[], visit: (statement: Statement) => void): void {
  for (const statement of body) {
    visit(statement);
    if ("body" in statement) forEachStatement(statement.body, visit);
  }
}
