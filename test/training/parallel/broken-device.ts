/** A device with a wrong driver: what it computes is a little off, in one function or in one kernel. */
import type { Device } from "../../../src/compute/device/device.ts";
import type { Kernel, UnaryOp } from "../../../src/compute/lang/kernel.ts";

type Node = Readonly<Record<string, unknown>>;

/** `device`, with each of its kernels changed before it is compiled. */
export function brokenDevice<D extends Device>(device: D, change: (kernel: Kernel, index: number) => Kernel): D {
  const create = device.createKernel.bind(device);
  let made = 0;
  device.createKernel = (kernel) => create(change(kernel, made++));
  return device;
}

/** The function `op` gives `factor` times what it should, and `shift` more. */
export function wrongFunction(op: UnaryOp, factor: number, shift = 0): (kernel: Kernel) => Kernel {
  const off = (node: Node): Node => binary("add", binary("multiply", node, factor), shift);
  return (kernel) =>
    rewritten(kernel, (node) => (node["kind"] === "unary" && node["op"] === op ? off(node) : node)) as Kernel;
}

/** Whatever float the kernel with that number stores is `factor` times what it should be. */
export function wrongKernel(wanted: number, factor: number): (kernel: Kernel, index: number) => Kernel {
  const isFloat = (node: Node, { bindings }: Kernel): boolean =>
    node["kind"] === "store" && bindings[node["binding"] as number]?.type === "f32";
  return (kernel, index) => {
    if (index !== wanted) return kernel;
    return rewritten(kernel, (node) =>
      isFloat(node, kernel) ? { ...node, value: binary("multiply", node["value"] as Node, factor) } : node,
    ) as Kernel;
  };
}

function binary(op: "add" | "multiply", a: Node, value: number): Node {
  return { kind: "binary", type: "f32", op, a, b: { kind: "constant", type: "f32", value } };
}

/** The tree with `change` made to every node, from the leaves up. */
function rewritten(value: unknown, change: (node: Node) => Node): unknown {
  if (Array.isArray(value)) return value.map((item) => rewritten(item, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, rewritten(inner, change)]);
  return change(Object.fromEntries(entries) as Node);
}
