/** Kernels that do the same whatever the length of their arrays: each invocation reads and stores its own element. */
import { i32 } from "./build.ts";
import type { Expr, Kernel } from "./kernel.ts";
import { expressionsIn, substitute } from "./substitute.ts";

export interface FlatForm {
  /** The kernel without its lengths: equal for kernels that do the same. */
  readonly kernel: Kernel;
  /** For each binding, how many elements further on it begins: places that are constants start from there. */
  readonly offsets: readonly number[];
}

/** Undefined for a kernel that is not flat: every index has to be the invocation's number, or a constant. */
export function flatForm(kernel: Kernel): FlatForm | undefined {
  const { bindings, body, invocations, keepsLoops = false } = kernel;
  const constants = bindings.map((): number[] => []);
  const isOwn = bindings.map(() => false);
  let isFlat = true;
  const visit = (binding: number, index: Expr): void => {
    if (index.kind === "constant") constants[binding]?.push(Number(index.value));
    else if (index.kind === "variable" && index.name === "invocation") isOwn[binding] = true;
    else isFlat = false;
  };
  const expressions = expressionsIn(body);
  for (const x of expressions) if (x.kind === "load") visit(x.binding, x.index);
  substitute(body, {
    store: (store) => {
      visit(store.binding, store.index);
      return [store];
    },
  });
  for (const x of expressions)
    if (x.kind === "variable" && (x.name === "workgroup" || x.name === "lane")) isFlat = false;
  // A number that is used for more than to find elements would be another one in another array.
  const isMixed = bindings.some(({ length }, i) => isOwn[i] === true && ((constants[i]?.length ?? 0) > 0 || length !== invocations)); // prettier-ignore
  if (!isFlat || isMixed || usesInvocation(expressions)) return undefined;
  const offsets = constants.map((places) => (places.length === 0 ? 0 : Math.min(...places)));
  const moved = substitute(body, {
    expr: (x) =>
      x.kind === "load" && x.index.kind === "constant"
        ? { ...x, index: i32(Number(x.index.value) - (offsets[x.binding] ?? 0)) }
        : x,
    store: (store) => {
      if (store.index.kind !== "constant") return [store];
      return [{ ...store, index: i32(Number(store.index.value) - (offsets[store.binding] ?? 0)) }];
    },
  });
  const lengths = bindings.map((binding) => ({ ...binding, length: 1 }));
  return { kernel: { name: "", bindings: lengths, invocations: 1, keepsLoops, body: moved }, offsets };
}

/** True when the invocation's number is part of anything but an index. */
function usesInvocation(expressions: ReadonlySet<Expr>): boolean {
  for (const x of expressions) {
    if (x.kind === "load") continue;
    const isUse = (operand: Expr): boolean => operand.kind === "variable" && operand.name === "invocation";
    if (x.kind === "binary" && (isUse(x.a) || isUse(x.b))) return true;
    if ((x.kind === "unary" || x.kind === "cast" || x.kind === "bitcast") && isUse(x.x)) return true;
    if (x.kind === "select" && (isUse(x.condition) || isUse(x.yes) || isUse(x.no))) return true;
  }
  return false;
}
