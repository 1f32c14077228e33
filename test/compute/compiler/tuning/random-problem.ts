/** Problems of all kinds, drawn at random. */
import fc from "fast-check";
import type {
  ContractionProblem,
  ElementwiseProblem,
  Problem,
  RowsProblem,
  ScanProblem,
} from "../../../../src/compute/compiler/tuning/problem.ts";

const operand = fc.record({
  layout: fc.constantFrom("N" as const, "T" as const),
  dtype: fc.constantFrom("float32" as const, "float16" as const),
});

/** Products whose sizes are up to `sizeMax`. */
export function contractions(sizeMax: number): fc.Arbitrary<ContractionProblem> {
  const size = fc.integer({ min: 1, max: sizeMax });
  return fc.record({
    kind: fc.constant("contraction" as const),
    batch: fc.integer({ min: 1, max: 4 }),
    rows: size,
    inner: size,
    columns: size,
    left: operand,
    right: operand,
  });
}

export function elementwises(countMax: number): fc.Arbitrary<ElementwiseProblem> {
  return fc.record({
    kind: fc.constant("elementwise" as const),
    dtype: fc.constantFrom(
      "float32" as const,
      "float16" as const,
      "int32" as const,
      "uint32" as const,
      "bool" as const,
    ),
    count: fc.integer({ min: 1, max: countMax }),
    loads: fc.integer({ min: 0, max: 4 }),
    stores: fc.integer({ min: 1, max: 3 }),
    isHeavy: fc.boolean(),
  });
}

/** Rows and columns of up to `sizeMax` each. */
export function rowsProblems(sizeMax: number): fc.Arbitrary<RowsProblem> {
  const size = fc.integer({ min: 2, max: sizeMax });
  return fc.record({
    kind: fc.constant("rows" as const),
    dtype: fc.constantFrom("float32" as const, "int32" as const, "uint32" as const),
    rows: size,
    columns: size,
    isAcross: fc.boolean(),
    sweeps: fc.integer({ min: 1, max: 3 }),
    reductions: fc.integer({ min: 1, max: 4 }),
    loads: fc.integer({ min: 1, max: 3 }),
    stores: fc.integer({ min: 0, max: 2 }),
    isHeavy: fc.constant(false),
  });
}

function scanProblems(sizeMax: number): fc.Arbitrary<ScanProblem> {
  return fc.record({
    kind: fc.constant("scan" as const),
    dtype: fc.constantFrom("float32" as const, "int32" as const, "uint32" as const),
    fn: fc.constantFrom("sum" as const, "product" as const, "maximum" as const),
    lines: fc.integer({ min: 1, max: 8 }),
    size: fc.integer({ min: 1, max: sizeMax }),
  });
}

/** With sizes as large as any. */
export const problems: fc.Arbitrary<Problem> = fc.oneof(
  contractions(5000),
  elementwises(2 ** 24),
  rowsProblems(5000),
  scanProblems(5000),
);
