/** Values that are the same in all lanes, and used by vectors only: those are kept as vectors when they get a name. */
import type { Block, NumberedKernel, Value } from "../numbered-kernel.ts";
import type { LaneForms } from "./lane-forms.ts";

/** Values by id, and the names of those that a `let` defines. */
export interface VectorUses {
  readonly values: ReadonlySet<number>;
  readonly names: ReadonlySet<string>;
}

/** Of all values of a kernel. */
export function usedByVectorsOnly({ values, root }: NumberedKernel, forms: LaneForms): VectorUses {
  const byVectors = new Set<number>();
  const byScalars = new Set<number>();
  const use = (value: Value, isVector: boolean): void => {
    (isVector ? byVectors : byScalars).add(value.id);
  };
  for (const value of values) {
    const isVector = forms.isVarying(value) && value.array === undefined;
    for (const operand of value.operands) use(operand, isVector);
  }
  const visit = (block: Block): void => {
    for (const line of block.lines) {
      if (line.kind === "define" || line.kind === "assign") use(line.value, forms.isVaryingName(line.name));
      else if (line.kind === "for") for (const bound of [line.from, line.to]) use(bound, false);
      else if (line.kind === "if") use(line.condition, false);
      else if (line.kind === "store") {
        use(line.index, false);
        for (const value of line.values) use(value, true);
      }
      if ("body" in line) visit(line.body);
    }
  };
  visit(root);
  const kept = new Set([...byVectors].filter((id) => !byScalars.has(id)));
  const names = values.flatMap(({ id, expr }) => (expr.kind === "variable" && kept.has(id) ? [expr.name] : []));
  return { values: kept, names: new Set(names) };
}
