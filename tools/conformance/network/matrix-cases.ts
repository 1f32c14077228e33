/** What the matrix is made of: every verb, by every program and codec, on numbers whose sum is known. */
import { ALGORITHMS } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName, Verb } from "../../../src/network/collectives/algorithms.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import { withErrorFeedback } from "../../../src/network/collectives/codecs/error-feedback.ts";
import { float16Codec } from "../../../src/network/collectives/codecs/float16.ts";
import { powerSgdCodec } from "../../../src/network/collectives/codecs/power-sgd.ts";
import { int4Codec, int8Codec } from "../../../src/network/collectives/codecs/quantized.ts";
import { topKCodec } from "../../../src/network/collectives/codecs/top-k.ts";
import type { ReduceOperator } from "../../../src/network/collectives/numbers.ts";

/** Sizes of groups for which the matrix is run by WebRTC, whose links two processors must encrypt; and otherwise. */
export const RTC_SIZES: readonly number[] = [1, 2, 3, 4, 5, 7, 8];
export const MATRIX_SIZES: readonly number[] = [...RTC_SIZES, 16];

/**
 * `integers`: small ones, as float32; `int32`: large ones, whose sums wrap; `floats`: of many magnitudes; `constants`:
 * one value a rank; `long`: integers in many frames.
 */
export type MatrixInput = "integers" | "int32" | "floats" | "constants" | "long";

/** How far a result may be from the direct sum. `L` levels: see `boundOf`. `bits`: only that all have the same. */
export type Exactness = "exact" | "rounded" | "float16" | { readonly levels: number } | "nearly" | "bits";

export interface MatrixCase {
  readonly id: string;
  readonly verb: Verb;
  readonly algorithm: AlgorithmName;
  readonly codecName: string;
  /** A codec of one's own for each case: some remember. */
  readonly codec: () => Codec | undefined;
  readonly operator: ReduceOperator;
  readonly input: MatrixInput;
  readonly exactness: Exactness;
}

interface CodecRow {
  readonly name: string;
  readonly make: () => Codec | undefined;
  readonly inputs: readonly (readonly [MatrixInput, Exactness])[];
}

const CODECS: readonly CodecRow[] = [
  { name: "none", make: () => undefined, inputs: [["integers", "exact"], ["floats", "rounded"], ["long", "exact"]] },
  { name: "float16", make: () => float16Codec, inputs: [["integers", "exact"], ["floats", "float16"]] },
  { name: "int8", make: () => int8Codec(), inputs: [["floats", { levels: 127 }]] },
  { name: "int4", make: () => int4Codec(), inputs: [["floats", { levels: 7 }]] },
  { name: "top-k of all", make: () => topKCodec(1), inputs: [["integers", "exact"]] },
  { name: "top-k", make: () => withErrorFeedback(topKCodec(0.25)), inputs: [["floats", "bits"]] },
  { name: "PowerSGD", make: () => withErrorFeedback(powerSgdCodec(2)), inputs: [["constants", "nearly"], ["floats", "bits"]] },
]; // prettier-ignore

const OPERATORS: readonly ReduceOperator[] = ["sum", "mean", "max", "min", "product"];

/** Verbs that take numbers of any type and any operator. */
const REDUCING: readonly Verb[] = ["all-reduce", "reduce"];

/** Verbs whose result is the same on all ranks. */
export const AGREEING: readonly Verb[] = ["all-reduce", "all-gather", "broadcast"];

/** All cases, in the order in which every rank runs them. */
export function matrixCases(): MatrixCase[] {
  const verbs = Object.entries(ALGORITHMS) as [Verb, object][];
  return verbs.flatMap(([verb, makers]) =>
    (Object.keys(makers) as AlgorithmName[]).flatMap((algorithm) => [
      ...CODECS.flatMap((codec) => codec.inputs.map((input) => codecCase(verb, algorithm, codec, input))),
      ...(REDUCING.includes(verb) ? OPERATORS.map((operator) => integerCase(verb, algorithm, operator)) : []),
    ]),
  );
}

function codecCase(
  verb: Verb,
  algorithm: AlgorithmName,
  { name, make }: CodecRow,
  [input, exactness]: readonly [MatrixInput, Exactness],
): MatrixCase {
  const id = `${verb} by ${algorithm}, ${name}, ${input}`;
  return { id, verb, algorithm, codecName: name, codec: make, operator: "sum", input, exactness };
}

function integerCase(verb: Verb, algorithm: AlgorithmName, operator: ReduceOperator): MatrixCase {
  const id = `${verb} by ${algorithm}, ${operator} of int32`;
  const codec = (): undefined => undefined;
  return { id, verb, algorithm, codecName: "none", codec, operator, input: "int32", exactness: "exact" };
}
