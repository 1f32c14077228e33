/** Each loss module is the function of its name, with the options that it was made with. */
import { expect, test } from "vitest";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import * as F from "../../../src/functional.ts";
import * as nn from "../../../src/model/nn/losses.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const X = tensor([[0.3, 0.9, 0.2], [0.7, 0.1, 0.6]]); // prettier-ignore
const Y = tensor([[0.8, 0.2, 0.4], [0.5, 0.9, 0.3]]); // prettier-ignore
const Z = tensor([[0.1, 0.5, 0.9], [0.2, 0.4, 0.7]]); // prettier-ignore
const C = tensor(Int32Array.of(2, 0));
const W = tensor([0.5, 2, 1.5]);
const S = tensor([1, -1]);

test("losses give their functions", async () => {
  const cases: readonly (readonly [string, Tensor, Tensor])[] = [
    ["MSELoss", new nn.MSELoss({ reduction: "sum" }).call(X, Y), F.mseLoss(X, Y, { reduction: "sum" })],
    ["L1Loss", new nn.L1Loss().call(X, Y), F.l1Loss(X, Y)],
    ["HuberLoss", new nn.HuberLoss({ delta: 0.3 }).call(X, Y), F.huberLoss(X, Y, { delta: 0.3 })],
    ["SmoothL1Loss", new nn.SmoothL1Loss({ beta: 0.3 }).call(X, Y), F.smoothL1Loss(X, Y, { beta: 0.3 })],
    ["BCELoss", new nn.BCELoss({ weight: W }).call(X, Y), F.bce(X, Y, { weight: W })],
    ["BCEWithLogitsLoss", new nn.BCEWithLogitsLoss({ posWeight: W }).call(X, Y), F.bceWithLogits(X, Y, { posWeight: W })],
    ["KLDivLoss", new nn.KLDivLoss({ reduction: "batchmean", logTarget: true }).call(X, Y), F.klDiv(X, Y, { reduction: "batchmean", logTarget: true })],
    ["CrossEntropyLoss", new nn.CrossEntropyLoss({ weight: W, labelSmoothing: 0.1 }).call(X, C), F.crossEntropy(X, C, { weight: W, labelSmoothing: 0.1 })],
    ["NLLLoss", new nn.NLLLoss({ ignoreIndex: 0 }).call(X, C), F.nllLoss(X, C, { ignoreIndex: 0 })],
    ["CosineEmbeddingLoss", new nn.CosineEmbeddingLoss({ margin: 0.2 }).call(X, Y, S), F.cosineEmbeddingLoss(X, Y, S, { margin: 0.2 })],
    ["MarginRankingLoss", new nn.MarginRankingLoss({ margin: 0.2 }).call(X, Y, S.unsqueeze(1)), F.marginRankingLoss(X, Y, S.unsqueeze(1), { margin: 0.2 })],
    ["HingeEmbeddingLoss", new nn.HingeEmbeddingLoss({ margin: 0.4 }).call(X, S.unsqueeze(1)), F.hingeEmbeddingLoss(X, S.unsqueeze(1), { margin: 0.4 })],
    ["SoftMarginLoss", new nn.SoftMarginLoss({ reduction: "none" }).call(X, Y), F.softMarginLoss(X, Y, { reduction: "none" })],
    ["MultiMarginLoss", new nn.MultiMarginLoss({ p: 2, weight: W }).call(X, C), F.multiMarginLoss(X, C, { p: 2, weight: W })],
    ["TripletMarginLoss", new nn.TripletMarginLoss({ swap: true, p: 1 }).call(X, Y, Z), F.tripletMarginLoss(X, Y, Z, { swap: true, p: 1 })],
    ["PoissonNLLLoss", new nn.PoissonNLLLoss({ logInput: false }).call(X, Y), F.poissonNllLoss(X, Y, { logInput: false })],
    ["GaussianNLLLoss", new nn.GaussianNLLLoss({ full: true }).call(X, Y, 0.3), F.gaussianNllLoss(X, Y, 0.3, { full: true })],
  ]; // prettier-ignore
  expect(cases.length).toBe(Object.keys(nn).length);
  const values = await Tensor.readAll(cases.flatMap(([, a, b]) => [a, b]));
  cases.forEach(([name], i) => {
    expect(values[2 * i]?.every(Number.isFinite), name).toBe(true);
    expect([...(values[2 * i] ?? [])], name).toEqual([...(values[2 * i + 1] ?? [])]);
  });
});
