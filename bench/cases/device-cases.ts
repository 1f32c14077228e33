/** The benchmarks that compute on a device, by the names that people type. */
import { attentionCases } from "./attention.ts";
import type { BenchCase } from "./bench-case.ts";
import { charGptCases } from "./char-gpt.ts";
import { conv2dCases } from "./conv2d.ts";
import { elementwiseCases } from "./elementwise.ts";
import { layerNormCases } from "./layer-norm.ts";
import { matmulCases } from "./matmul.ts";
import { mlpCases } from "./mlp.ts";
import { softmaxCases } from "./softmax.ts";

export const DEVICE_CASES: ReadonlyMap<string, readonly BenchCase[]> = new Map([
  ["matmul", matmulCases],
  ["elementwise", elementwiseCases],
  ["softmax", softmaxCases],
  ["layerNorm", layerNormCases],
  ["mlp", mlpCases],
  ["char-gpt", charGptCases],
  ["attention", attentionCases],
  ["conv2d", conv2dCases],
]);
