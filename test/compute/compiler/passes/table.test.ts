/** How tables are applied: to a fixed point, in any depth, with equal nodes made one; and what stops a wrong one. */
import { expect, test } from "vitest";
import { InvariantError } from "../../../../src/base/errors.ts";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { any, constantOf, on, rule, type Rule } from "../../../../src/compute/compiler/passes/pattern.ts";
import { applyTable } from "../../../../src/compute/compiler/passes/table.ts";
import { inTopologicalOrder } from "../../../../src/compute/compiler/walk-graph.ts";

const x = graph.buffer([2, 3], "float32");
const y = graph.buffer([2, 3], "float32");

const negate = (node: Node): Node => graph.unary("negate", node);
const undoNegate: Rule = rule({
  name: "--x is x",
  pattern: on("unary", { fn: "negate" }, on("unary", { fn: "negate" }, any("x"))),
  rewrite: ({ x: inner }) => inner,
});

test("rules apply until none does, also to what they make", () => {
  let deep: Node = x;
  for (let i = 0; i < 7; i++) deep = negate(graph.reshape(negate(deep), [6 - 3 * (i % 2), 1 + (i % 2)]));
  const [found] = applyTable("test", [undoNegate], [negate(negate(negate(negate(negate(x)))))]).outputs;
  expect(found?.inputs[0]).toBe(x);
  const peeled = rule({
    name: "|x| + n is |x| + (n - 1)",
    pattern: on(
      "binary",
      { fn: "add" },
      any("x"),
      constantOf("n", (value) => value > 0),
    ),
    rewrite: ({ x: inner, n }) => graph.binary("add", inner, graph.constant(n.primitive.value - 1, n.shape, n.dtype)),
  });
  const [counted] = applyTable(
    "test",
    [peeled],
    [graph.binary("add", x, graph.constant(100, [2, 3], "float32"))],
  ).outputs;
  expect(counted?.inputs[1]?.primitive).toEqual({ kind: "constant", value: 0 });
});

test("equal nodes become one, whatever the order of commutative operands and the side of a reshape", () => {
  const sums = [graph.binary("add", x, y), graph.binary("add", y, x), graph.binary("subtract", y, x)];
  const [first, second, third] = applyTable("test", [], sums).outputs;
  expect(second).toBe(first);
  expect(third).not.toBe(first);
  const early = graph.unary("exp", graph.binary("add", graph.reshape(x, [6]), graph.reshape(y, [6])));
  const late = graph.reshape(graph.unary("exp", graph.binary("add", x, y)), [6]);
  const [a, b] = applyTable("test", [], [early, graph.unary("tanh", late)]).outputs;
  expect(b?.inputs[0]).toBe(a);
});

test("leaves, barriers and zeros of two signs are told apart", () => {
  const barriers = [graph.barrier(negate(x), y), graph.barrier(negate(x), y)];
  const zeros = [0, -0].map((value) => graph.binary("divide", x, graph.constant(value, [2, 3], "float32")));
  const values = [...barriers, ...zeros, negate(x), negate(y)];
  expect(new Set(applyTable("test", [], values).outputs).size).toBe(values.length);
});

test("it says what each node became", () => {
  const inner = negate(negate(x));
  const outer = graph.binary("add", inner, y);
  const { outputs, became } = applyTable("test", [undoNegate], [outer]);
  expect(became(inner)).toBe(x);
  expect(became(outer)).toBe(outputs[0]);
  expect(became(graph.buffer([1], "float32"))).toBeUndefined();
});

test("a graph of many thousands of nodes in a row is no deeper than the stack", () => {
  let deep: Node = x;
  for (let i = 0; i < 20_000; i++) deep = graph.unary(i % 3 === 0 ? "sin" : "negate", deep);
  const { outputs } = applyTable("test", [undoNegate], [deep]);
  expect(inTopologicalOrder(outputs).length).toBeLessThan(10_000);
});

test("a rule for what is read once sees all readers", () => {
  const fold = rule({
    name: "exp(-x), where nobody else reads -x",
    pattern: on("unary", { fn: "exp" }, on("unary", { fn: "negate", isReadOnce: true }, any("x"))),
    rewrite: ({ x: inner }) => graph.unary("cos", inner),
  });
  const negated = negate(x);
  const exp = graph.unary("exp", negated);
  const kindOf = (...outputs: Node[]): unknown => applyTable("test", [fold], outputs).outputs[0]?.primitive;
  expect(kindOf(exp)).toEqual({ kind: "unary", fn: "cos" });
  expect(kindOf(exp, graph.unary("sin", negated))).toEqual({ kind: "unary", fn: "exp" });
  expect(kindOf(exp, negated)).toEqual({ kind: "unary", fn: "exp" });
});

test("it says when a node that had readers has lost them, so that another round may find more", () => {
  const fold = rule({
    name: "exp(-x), where nobody else reads -x",
    pattern: on("unary", { fn: "exp" }, on("unary", { fn: "negate", isReadOnce: true }, any("x"))),
    rewrite: ({ x: inner }) => graph.unary("cos", inner),
  });
  const negated = negate(x);
  const first = applyTable("test", [fold, undoNegate], [graph.unary("exp", negated), negate(negated)]);
  expect(first.mayGoOn).toBe(true);
  const second = applyTable("test", [fold, undoNegate], first.outputs);
  expect(second.outputs[0]?.primitive).toEqual({ kind: "unary", fn: "cos" });
  expect(second.mayGoOn).toBe(false);
});

const LOOPS: readonly (readonly [name: string, table: readonly Rule[], message: RegExp])[] = [
  [
    "two rules that undo each other",
    [
      rule({
        name: "exp is sin",
        pattern: on("unary", { fn: "exp" }, any("x")),
        rewrite: ({ x: a }) => graph.unary("sin", a),
      }),
      rule({
        name: "sin is exp",
        pattern: on("unary", { fn: "sin" }, any("x")),
        rewrite: ({ x: a }) => graph.unary("exp", a),
      }),
    ],
    /^loops: expected rules that come to an end, found "exp is sin" \(\d+ times\), "sin is exp" \(\d+ times\)$/,
  ],
  [
    "a rule that grows what it matches",
    [
      rule({
        name: "exp(x) is exp(x + 1)",
        pattern: on("unary", { fn: "exp" }, any("x")),
        rewrite: ({ x: a }) => graph.unary("exp", graph.binary("add", a, graph.constant(1, a.shape, a.dtype))),
      }),
    ],
    /^loops: expected rules that come to an end, found "exp\(x\) is exp\(x \+ 1\)" \(\d+ times\)$/,
  ],
  [
    "a rule whose result is computed from what it replaces",
    [
      rule({
        name: "exp(x) is -exp(x)",
        pattern: on("unary", { fn: "exp", as: "node" }, any()),
        rewrite: ({ node }) => negate(node),
      }),
    ],
    /^loops: expected no circles, found negate float32 \[2, 3\] computed from itself, made by "exp\(x\) is -exp\(x\)"$/,
  ],
  [
    "a rule that gives what it was given",
    [rule({ name: "exp is itself", pattern: on("unary", { fn: "exp", as: "node" }), rewrite: ({ node }) => node })],
    /^loops: the rule "exp is itself" made the same of exp float32 \[2, 3\]$/,
  ],
];

test.each(LOOPS)("%s is stopped, and named", (_, table, message) => {
  const apply = (): unknown => applyTable("loops", table, [graph.unary("exp", x)]);
  expect(apply).toThrow(InvariantError);
  expect(apply).toThrow(message);
});

test("a rule that changes shape or dtype is named with what it made of which node", () => {
  const wrong = (make: (node: Node) => Node): Rule =>
    rule({ name: "wrong", pattern: on("unary", { as: "node" }), rewrite: ({ node }) => make(node) });
  const apply = (table: readonly Rule[]) => (): unknown => applyTable("shapes", table, [graph.unary("exp", x)]);
  expect(apply([wrong((node) => graph.reshape(node.inputs[0] ?? node, [6]))])).toThrow(
    'shapes: the rule "wrong" made reshape float32 [6] of exp float32 [2, 3]',
  );
  expect(apply([wrong((node) => graph.cast(node.inputs[0] ?? node, "int32"))])).toThrow(
    'shapes: the rule "wrong" made cast int32 [2, 3] of exp float32 [2, 3]',
  );
});
