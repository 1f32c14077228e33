/** Expressions in words, for errors that name them. */
import type { BinaryOp, Expr } from "./kernel.ts";
import { operandsOf } from "./walk.ts";

/** Deeper parts are left out: errors are read by people. */
const DEPTH_MAX = 4;

const INFIX: { readonly [Op in BinaryOp]?: string } = {
  add: "+",
  subtract: "-",
  multiply: "*",
  divide: "/",
  remainder: "%",
  less: "<",
  lessEqual: "<=",
  equal: "==",
  notEqual: "!=",
  and: "&",
  or: "|",
  xor: "^",
  shiftLeft: "<<",
  shiftRight: ">>",
};

/** `lane < 3`, `b0[(row * 8) + k]`. */
export function describeExpr(x: Expr, depth: number = DEPTH_MAX): string {
  if (depth === 0) return "...";
  const parts = operandsOf(x).map((operand) => describeOperand(operand, depth - 1));
  switch (x.kind) {
    case "constant":
      return String(x.value);
    case "variable":
      return x.name;
    case "binary": {
      const infix = INFIX[x.op];
      return infix === undefined ? `${x.op}(${parts.join(", ")})` : parts.join(` ${infix} `);
    }
    case "unary":
      return `${x.op}(${parts.join()})`;
    case "select":
      return `${parts[0]} ? ${parts[1]} : ${parts[2]}`;
    case "cast":
    case "bitcast":
      return `${x.type}(${parts.join()})`;
    case "load":
      return `b${x.binding}[${parts.join()}]`;
    case "loadShared":
      return `shared${x.array}[${parts.join()}]`;
    case "loadPrivate":
      return `${x.name}[${parts.join()}]`;
  }
}

function describeOperand(x: Expr, depth: number): string {
  const text = describeExpr(x, depth);
  const isAtom = x.kind !== "select" && (x.kind !== "binary" || INFIX[x.op] === undefined);
  return isAtom || depth === 0 ? text : `(${text})`;
}
