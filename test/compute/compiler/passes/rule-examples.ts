/** Each rule of a table on its smallest examples: where it applies, what it makes, and where it must not apply. */
import { describe, expect, test } from "vitest";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import type { Rule } from "../../../../src/compute/compiler/passes/pattern.ts";
import { applyTable } from "../../../../src/compute/compiler/passes/table.ts";
import { expectEquivalent } from "../equivalent.ts";
import { formulaOf } from "../formula.ts";

/** A graph of one output, or of several. */
type Graph = Node | readonly Node[];

export interface RuleExample {
  /** The rule's name. */
  readonly rule: string;
  /** Graphs, and what their first outputs are after it. */
  readonly applies: readonly (readonly [before: Graph, after: string])[];
  /** Graphs that it leaves alone. */
  readonly staysAway: readonly Graph[];
}

const SEEDS = [1, 2, 3];
/** Rules that round otherwise do so a few times, each by at most 2^-24 of a value. */
const ROUNDED = 2 ** -20;

function outputsOf(graph: Graph): readonly Node[] {
  return "primitive" in graph ? [graph] : graph;
}

/** Tests every rule of `table`, each alone. `names` are those of the leaves. */
export function describeRules(
  table: readonly Rule[],
  names: ReadonlyMap<Node, string>,
  examples: readonly RuleExample[],
): void {
  test("every rule has examples", () => {
    expect(examples.map(({ rule }) => rule).sort()).toEqual([...new Set(table.map(({ name }) => name))].sort());
  });

  describe.each(examples)("$rule", ({ rule: name, applies, staysAway }) => {
    const rules = table.filter((rule) => rule.name === name);

    test.each(applies.map(([before, after]) => [after, before] as const))("gives %s", (after, before) => {
      const outputs = outputsOf(before);
      const applied = applyTable("test", rules, outputs).outputs;
      expect(applied.map((node) => formulaOf(node, names))[0]).toBe(after);
      const rounds = rules.some(({ rounding }) => rounding !== undefined);
      const options = rounds ? { relative: ROUNDED, isPlain: true } : {};
      for (const seed of SEEDS) expectEquivalent(outputs, applied, seed, options);
    });

    test("stays away where it does not hold", () => {
      for (const before of staysAway) {
        const outputs = outputsOf(before);
        const formulas = outputs.map((node) => formulaOf(node, names));
        expect(applyTable("test", rules, outputs).outputs.map((node) => formulaOf(node, names))).toEqual(formulas);
      }
    });
  });
}
