/**
 * Models written as a list of layers: "conv 1->6 k3 p1, relu, maxpool 2, flatten, linear 32->10".
 *
 * Remarks in parentheses say nothing new. The list does not name its layers; the parameters' names do, in the same
 * order: c1.weight, c1.bias, fc.weight.
 */
import { UnsupportedError } from "../../../src/base/errors.ts";
import { avgPool2d } from "../../../src/compute/tensor/ops/avg-pool.ts";
import { maxPool2d } from "../../../src/compute/tensor/ops/max-pool.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { Conv2d } from "../../../src/model/nn/conv.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { LstmLayer } from "./lstm-layer.ts";

type Step = (x: Tensor) => Tensor;

interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

const SIMPLE: ReadonlyMap<string, Step> = new Map<string, Step>([
  ["relu", (x) => x.relu()],
  ["gelu", (x) => x.gelu({ approximate: "tanh" })],
  ["silu", (x) => x.silu()],
  ["tanh", (x) => x.tanh()],
  ["sigmoid", (x) => x.sigmoid()],
  ["flatten", (x) => x.flatten(1)],
]);

export class LayeredModel extends Module {
  readonly #steps: readonly Step[];

  /** @throws UnsupportedError for a layer that it does not know */
  constructor(layers: string, parameterNames: readonly string[]) {
    super();
    const names = [...new Set(parameterNames.map((name) => name.slice(0, name.lastIndexOf("."))))];
    const words = layers.replace(/\([^)]*\)/g, "").split(",").map((word) => word.trim()); // prettier-ignore
    this.#steps = words.map((text) => {
      const step = stepOf(text);
      if (step !== undefined) return step;
      const name = names.shift();
      if (name === undefined) throw new UnsupportedError(`model: expected parameters for "${text}", found none left`);
      const layer = layerOf(text, parameterNames.includes(`${name}.bias`));
      // Modules find their parameters by the names of their fields.
      Object.assign(this, { [name]: layer });
      return (x) => layer.forward(x);
    });
  }

  forward(x: Tensor): Tensor {
    return this.#steps.reduce((value, step) => step(value), x);
  }
}

/** What needs no parameters; undefined for the rest. */
function stepOf(text: string): Step | undefined {
  const [name = "", size = "", ...more] = text.split(/\s+/);
  if (name !== "maxpool" && name !== "avgpool") return SIMPLE.get(text);
  const pool = name === "maxpool" ? maxPool2d : avgPool2d;
  const options = { kernelSize: Number(size.replace(/^k/, "")), ...strideAndPadding(text, more) };
  return (x) => pool(x, options);
}

function layerOf(text: string, bias: boolean): Layer {
  const [kind = "", sizes = "", ...more] = text.split(/\s+/);
  const [from = Number.NaN, to = Number.NaN] = sizes.split(/->|x/).map(Number);
  const isSized = Number.isInteger(from) && Number.isInteger(to);
  switch (isSized ? kind.toLowerCase() : "") {
    case "conv":
      return convOf(text, [from, to], more, bias);
    case "linear":
      return new Linear(from, to, { bias });
    case "embedding":
      return new Embedding(from, to);
    case "lstm":
      return new LstmLayer(from, to);
    default:
      throw new UnsupportedError(`hearth has no layer "${text}" yet`);
  }
}

function convOf(text: string, [from, to]: readonly [number, number], words: readonly string[], bias: boolean): Layer {
  const kernel = words.map((word) => /^k(\d+)$/.exec(word)?.[1]).find((found) => found !== undefined);
  if (kernel === undefined) throw new UnsupportedError(`model: expected a kernel size in "${text}", found none`);
  const rest = words.filter((word) => word !== `k${kernel}`);
  return new Conv2d(from, to, Number(kernel), { ...strideAndPadding(text, rest), bias });
}

/** "s2", "p1", "d2", "g4". */
function strideAndPadding(text: string, words: readonly string[]): Record<string, number> {
  const names: Readonly<Record<string, string>> = { s: "stride", p: "padding", d: "dilation", g: "groups" };
  return Object.fromEntries(
    words.map((word) => {
      const [, letter = "", digits = ""] = /^([spdg])(\d+)$/.exec(word) ?? [];
      const name = names[letter];
      if (name === undefined) throw new UnsupportedError(`model: expected s, p, d or g in "${text}", found "${word}"`);
      return [name, Number(digits)];
    }),
  );
}
