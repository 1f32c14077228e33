/** A site: a place where a kernel has candidates, and so a question that measuring can answer. */
import type { Problem } from "./problem.ts";
import { dtypeOf, shapeClassOf } from "./shape-class.ts";

export interface Site {
  readonly kind: Problem["kind"];
  /** Sites of one class, kind, dtype and set of candidates share an answer. */
  readonly shapeClass: string;
  readonly dtype: string;
  /** Names that mean the same in every version; the default first. */
  readonly candidates: readonly string[];
  /** The first problem that was seen of the class. */
  readonly problem: Problem;
}

export function siteOf(problem: Problem, candidates: readonly string[]): Site {
  return { kind: problem.kind, shapeClass: shapeClassOf(problem), dtype: dtypeOf(problem), candidates, problem };
}

/**
 * What answers are kept under. With the candidates in it, whichever is the default, an answer to another question is
 * never taken for one.
 */
export function siteKey({ kind, dtype, shapeClass, candidates }: Site): string {
  return `${kind}; ${dtype}; ${shapeClass}; ${[...candidates].sort().join()}`;
}
