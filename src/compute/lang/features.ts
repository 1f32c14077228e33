/** What a kernel asks of the lanes of a workgroup, beyond running. */
import type { Expr, Kernel, Statement } from "./kernel.ts";
import { expressionsOf, visitOperandsFirst } from "./walk.ts";

/** True for a kernel whose lanes wait for each other, at barriers or in subgroups. */
export function isLockStep({ body }: Kernel): boolean {
  return someStatement(body, ({ kind }) => kind === "barrier" || kind === "subgroup");
}

/** True for a kernel that needs a device with subgroups. */
export function usesSubgroups({ workgroup, body }: Kernel): boolean {
  if (workgroup === undefined) return false;
  const seen = new Set<Expr>();
  let asks = false;
  const look = (root: Expr): boolean => {
    visitOperandsFirst(
      root,
      (x) => seen.has(x),
      (x) => {
        seen.add(x);
        asks ||= x.kind === "variable" && (x.name === "subgroupSize" || x.name === "subgroupLane");
      },
    );
    return asks;
  };
  return someStatement(body, (statement) => statement.kind === "subgroup" || expressionsOf(statement).some(look));
}

/** Bytes of the arrays that a workgroup shares. */
export function sharedBytesOf({ workgroup }: Kernel): number {
  return (workgroup?.shared ?? []).reduce((bytes, { length }) => bytes + length * 4, 0);
}

function someStatement(body: readonly Statement[], holds: (statement: Statement) => boolean): boolean {
  return body.some((statement) => holds(statement) || ("body" in statement && someStatement(statement.body, holds)));
}
