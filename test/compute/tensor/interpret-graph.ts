/** The meaning of every primitive in plain loops and float64: the oracle for ops and their gradients. */
import { assert, present } from "../../../src/base/assert.ts";
import { exponentialOf, normalOf, philox } from "../../../src/base/random.ts";
import type {
  BinaryFunction,
  Distribution,
  Node,
  ReduceFunction,
  Shape,
  UnaryFunction,
} from "../../../src/compute/compiler/ir.ts";
import { scalarTypeOf } from "../../../src/compute/compiler/fold.ts";
import { foldBinary, foldBitcast } from "../../../src/compute/lang/scalar-functions.ts";
import { isFloat } from "../../../src/compute/layout/dtype.ts";
import { attentionInLoops } from "../attention-loops.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";

type Values = Float64Array;
type Index = readonly number[];

/** The values of `node`, row-major; `leaf` gives those of buffers, `memo` keeps what was computed. */
export function interpretGraph(node: Node, leaf: (node: Node) => Values, memo: Map<Node, Values>): Values {
  const pending = [node];
  for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
    const missing = memo.has(top) ? [] : top.inputs.filter((input) => !memo.has(input));
    if (missing.length > 0) pending.push(...missing);
    else {
      pending.pop();
      if (!memo.has(top)) memo.set(top, top.primitive.kind === "buffer" ? leaf(top).slice() : evaluate(top, memo));
    }
  }
  return present(memo.get(node), "interpretGraph: the result");
}

/** Calls `visit` with each index of `shape`, in row-major order. */
function eachIndex(shape: Shape, visit: (index: Index, flat: number) => void): void {
  const count = elementCount(shape);
  const index = shape.map(() => 0);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if (index[axis] !== shape[axis]) break;
      index[axis] = 0;
    }
  }
}

function flatOf(shape: Shape, index: Index): number {
  return shape.reduce((flat, size, axis) => flat * size + (index[axis] ?? 0), 0);
}

function evaluate(node: Node, memo: ReadonlyMap<Node, Values>): Values {
  const { primitive, shape } = node;
  const out = new Float64Array(elementCount(shape));
  const input = (i: number): Node => present(node.inputs[i], "an input");
  const read = (i: number, index: Index): number =>
    present(memo.get(input(i)), "an input's values")[flatOf(input(i).shape, index)] ?? Number.NaN;
  const fill = (value: (index: Index, flat: number) => number): void =>
    eachIndex(shape, (index, flat) => (out[flat] = wrapped(value(index, flat), node.dtype)));
  const put = (index: Index, axis: number, at: number): number[] => index.map((i, j) => (j === axis ? at : i));
  switch (primitive.kind) {
    case "buffer":
      assert(false, "a buffer has no formula");
    case "constant":
      out.fill(primitive.value);
      return out;
    case "iota":
      fill((index) => index[primitive.axis] ?? 0);
      return out;
    case "random":
      fill((_, flat) => drawn(primitive.distribution, philox([flat, 0, 0, 0], [read(0, [0]), read(0, [1])])));
      return out;
    case "unary":
      fill((index) => unary(primitive.fn, read(0, index)));
      return out;
    case "binary":
      fill((index) => binary(primitive.fn, read(0, index), read(1, index), input(0).dtype));
      return out;
    case "select":
      fill((index) => (read(0, index) !== 0 ? read(1, index) : read(2, index)));
      return out;
    case "cast":
      fill((index) => (node.dtype === "bool" ? Number(read(0, index) !== 0) : node.dtype === "float32" ? read(0, index) : Math.trunc(read(0, index)))); // prettier-ignore
      return out;
    case "bitcast":
      fill((index) => foldBitcast(scalarTypeOf(node.dtype), scalarTypeOf(input(0).dtype), read(0, index)));
      return out;
    case "barrier":
    case "reshape":
      return present(memo.get(input(0)), "an input's values").slice();
    case "permute":
      fill((index) => read(0, input(0).shape.map((_, axis) => index[primitive.order.indexOf(axis)] ?? 0))); // prettier-ignore
      return out;
    case "expand":
      fill((index) => read(0, index.map((i, axis) => (input(0).shape[axis] === 1 ? 0 : i)))); // prettier-ignore
      return out;
    case "slice":
      fill((index) => read(0, index.map((i, axis) => (primitive.starts[axis] ?? 0) + i * (primitive.steps[axis] ?? 1)))); // prettier-ignore
      return out;
    case "pad":
      out.fill(primitive.value);
      eachIndex(input(0).shape, (index) => {
        const to = index.map((i, axis) => (primitive.low[axis] ?? 0) + i * ((primitive.interior[axis] ?? 0) + 1));
        if (to.every((i, axis) => i >= 0 && i < (shape[axis] ?? 0))) out[flatOf(shape, to)] = read(0, index);
      });
      return out;
    case "window":
      fill((index) => {
        const at = (index[primitive.axis] ?? 0) * primitive.stride + (index.at(-1) ?? 0) * primitive.dilation;
        return read(0, put(index.slice(0, -1), primitive.axis, at));
      });
      return out;
    case "reduce":
      out.fill(startOf(primitive.fn));
      eachIndex(input(0).shape, (index) => {
        const to = flatOf(shape, index.map((i, axis) => (primitive.axes.includes(axis) ? 0 : i))); // prettier-ignore
        out[to] = combine(primitive.fn, out[to] ?? 0, read(0, index));
      });
      return out;
    case "scan":
      fill((index) => {
        let total = startOf(primitive.fn);
        for (let i = 0; i <= (index[primitive.axis] ?? 0); i++) {
          total = combine(primitive.fn, total, read(0, put(index, primitive.axis, i)));
        }
        return total;
      });
      return out;
    case "gather": {
      const last = (input(0).shape[primitive.axis] ?? 1) - 1;
      fill((index) => read(0, put(index, primitive.axis, Math.min(Math.max(read(1, index), 0), last))));
      return out;
    }
    case "scatterAdd":
      eachIndex(input(0).shape, (index) => {
        const at = read(1, index);
        if (at < 0 || at >= (shape[primitive.axis] ?? 0)) return;
        const to = flatOf(shape, put(index, primitive.axis, at));
        out[to] = (out[to] ?? 0) + read(0, index);
      });
      return out;
    case "attention":
      out.set(attentionInLoops(node, read));
      return out;
    case "contraction":
      fill(([b = 0, m = 0, n = 0]) => {
        let sum = 0;
        for (let k = 0; k < (input(0).shape[2] ?? 0); k++) sum += read(0, [b, m, k]) * read(1, [b, k, n]);
        return sum;
      });
      return out;
    default:
      primitive satisfies never;
      assert(false, "interpretGraph: an unknown primitive");
  }
}

function wrapped(value: number, dtype: Node["dtype"]): number {
  return dtype === "uint32" ? value >>> 0 : dtype === "int32" ? value | 0 : value;
}

function startOf(fn: ReduceFunction): number {
  return fn === "sum" ? 0 : fn === "product" ? 1 : fn === "maximum" ? -Infinity : Infinity;
}

function combine(fn: ReduceFunction, a: number, b: number): number {
  return fn === "sum" ? a + b : fn === "product" ? a * b : fn === "maximum" ? Math.max(a, b) : Math.min(a, b);
}

const UNARY: Readonly<Record<UnaryFunction, (x: number) => number>> = {
  negate: (x) => -x,
  not: (x) => Number(x === 0),
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)),
  trunc: Math.trunc,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  erf,
};

/** erf(x) = 2 / sqrt(pi) * e^(-x^2) * the sum of 2^n x^(2n + 1) / (1 * 3 * ... * (2n + 1)): all terms of one sign. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.abs(x) > 6 ? Math.sign(x) : (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function unary(fn: UnaryFunction, x: number): number {
  return UNARY[fn](x);
}

const BINARY: Readonly<Record<BinaryFunction, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  remainder: (a, b) => a % b,
  power: (a, b) => a ** b,
  minimum: Math.min,
  maximum: Math.max,
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
};

function binary(fn: BinaryFunction, a: number, b: number, dtype: Node["dtype"]): number {
  return isFloat(dtype) || dtype === "bool" ? BINARY[fn](a, b) : integerBinary(fn, a, b, dtype);
}

/** Exactly, modulo 2^32: products and powers do not fit in a float64. */
function integerBinary(fn: BinaryFunction, a: number, b: number, dtype: Node["dtype"]): number {
  switch (fn) {
    case "multiply":
      return Math.imul(a, b);
    case "power":
    case "divide":
    case "remainder":
      return Number(foldBinary(fn, scalarTypeOf(dtype), a, b));
    default:
      return BINARY[fn](a, b);
  }
}

function drawn(distribution: Distribution, [first, second]: readonly [number, number, number, number]): number {
  if (distribution === "bits") return first;
  return distribution === "normal" ? normalOf(first, second) : exponentialOf(first);
}
