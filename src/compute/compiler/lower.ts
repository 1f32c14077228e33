/** From a graph to kernels: optimize it, decide what is stored, and emit a kernel for each. */
import { InvariantError } from "../../base/errors.ts";
import { assert } from "../../base/assert.ts";
import { contraction, tileFor } from "../kernels/contraction.ts";
import { elementwise } from "../kernels/elementwise.ts";
import { flatten, Loops, type Grid, type Index, type Operand, type Sink } from "../kernels/grid.ts";
import { reduce } from "../kernels/reduce.ts";
import { scan } from "../kernels/scan.ts";
import { isByLine, scatterByElement, scatterByLine } from "../kernels/scatter-add.ts";
import { valueTypeOf, type Binding, type Expr, type Kernel, type Statement } from "../lang/kernel.ts";
import { store } from "../lang/statements.ts";
import { elementCount } from "../layout/shape.ts";
import { describeGroup } from "./describe.ts";
import { Emitter, storedForm, storedTypeOf } from "./emit.ts";
import { scalarTypeOf } from "./fold.ts";
import type { Node } from "./ir.ts";
import { optimize } from "./passes/optimize.ts";
import { planSchedule, type Group } from "./schedule.ts";
import { indexAheadOfView } from "./views.ts";
import { shallowFirst } from "./walk-graph.ts";

/** A kernel, and the nodes whose bytes its bindings are: first the one that it stores, then those that it reads. */
export interface LoweredKernel {
  readonly kernel: Kernel;
  readonly output: Node;
  readonly inputs: readonly Node[];
}

export interface Lowered {
  /** In an order that can be run. */
  readonly kernels: readonly LoweredKernel[];
  /** Where each of the graph's outputs is stored: a leaf, or the output of a kernel. An empty one is nowhere. */
  readonly outputs: readonly Node[];
}

/** Kernels that compute `outputs` from the leaves under them; at most `bindingsMax` arrays in each. */
export function lower(outputs: readonly Node[], bindingsMax: number): Lowered {
  const nodes = optimize(outputs);
  const wanted = shallowFirst(nodes.filter((node) => elementCount(node.shape) > 0));
  const { groups, isStored } = planSchedule(wanted, bindingsMax);
  return { kernels: groups.map((group) => lowerGroup(group, isStored)), outputs: nodes };
}

function lowerGroup(group: Group, isStored: (node: Node) => boolean): LoweredKernel {
  const { root, core } = group;
  const loops = new Loops();
  const emitter = new Emitter((node) => node !== root && isStored(node), loops, 1);
  const sink = sinkFor(group, emitter);
  const { invocations, body } = gridOf(core, emitter, sink, loops);
  const readsOutput = core.primitive.kind === "scatterAdd" && isByLine(scatterOf(core));
  const bindings: Binding[] = [root, ...emitter.stored].map((node, i) => ({
    type: storedTypeOf(node),
    access: i > 0 ? "read" : readsOutput ? "readWrite" : "write",
    length: elementCount(node.shape),
  }));
  const name = describeGroup(group, isStored);
  return { kernel: { name, bindings, invocations, body }, output: root, inputs: emitter.stored };
}

/** Stores the core's result, after the epilogue's steps. */
function sinkFor({ root, core, epilogue }: Group, emitter: Emitter): Sink {
  return (coreIndex: Index, result: Expr): readonly Statement[] => {
    let index = coreIndex;
    let value = result;
    let source = core;
    if (epilogue.length > 0) emitter.provide(core, index, value);
    for (const step of epilogue) {
      const isMove = step.primitive.kind === "reshape" || step.primitive.kind === "permute";
      if (isMove) {
        index = indexAheadOfView(step, source.shape, index);
        emitter.provide(step, index, value);
      } else {
        value = emitter.emit(step, index);
      }
      source = step;
    }
    return [store(0, flatten(index, root.shape), storedForm(value))];
  };
}

function operandOf(emitter: Emitter, node: Node | undefined): Operand {
  assert(node !== undefined, "lower: expected an input");
  return (index) => emitter.emit(node, index);
}

function gridOf(core: Node, emitter: Emitter, sink: Sink, loops: Loops): Grid {
  const { primitive, inputs, shape } = core;
  const [x, y] = inputs;
  const type = scalarTypeOf(core.dtype);
  switch (primitive.kind) {
    case "reduce": {
      const reduction = { fn: primitive.fn, type, shape: x?.shape ?? [], axes: primitive.axes };
      return reduce(reduction, operandOf(emitter, x), sink, loops);
    }
    case "scan":
      return scan({ fn: primitive.fn, type, shape, axis: primitive.axis }, operandOf(emitter, x), sink, loops);
    case "scatterAdd": {
      const scatter = scatterOf(core);
      const [values, indices] = [operandOf(emitter, x), operandOf(emitter, y)];
      return isByLine(scatter)
        ? scatterByLine(scatter, values, indices, 0, loops)
        : scatterByElement(scatter, values, indices, sink, loops);
    }
    case "contraction": {
      const [batch = 1, rows = 1, columns = 1] = shape;
      const product = { batch, rows, columns, inner: x?.shape[2] ?? 1 };
      const [left, right] = [operandOf(emitter, x), operandOf(emitter, y)];
      return contraction(product, tileFor(product), left, right, sink, loops);
    }
    default:
      return elementwise(shape, operandOf(emitter, core), sink, loops);
  }
}

function scatterOf(core: Node): Parameters<typeof isByLine>[0] {
  const type = valueTypeOf(storedTypeOf(core));
  const [x] = core.inputs;
  if (core.primitive.kind !== "scatterAdd" || x === undefined) {
    throw new InvariantError(`lower: expected a scatterAdd, found ${core.primitive.kind}`);
  }
  const { axis } = core.primitive;
  return { type, shape: x.shape, axis, size: core.shape[axis] ?? 1 };
}
