/** The GPT of the fixtures, with PyTorch's names for its parameters, whose shapes say how wide everything is. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import { arange } from "../../../src/compute/tensor/create-ranges.ts";
import { scaledDotProductAttention } from "../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { ModuleList } from "../../../src/model/nn/containers.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { LayerNorm } from "../../../src/model/nn/layer-norm.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { RMSNorm } from "../../../src/model/nn/rms-norm.ts";
import { activationNames, activationOf, GATES, plainName } from "./activations.ts";

/** V vocabulary, T context, C width, L layers, H heads; `parallel`: attention and feed-forward read the same x. */
export interface GptShape {
  readonly V: number;
  readonly T: number;
  readonly C: number;
  readonly L: number;
  readonly H: number;
  readonly act: string;
  readonly tied: boolean;
  readonly parallel: boolean;
  /** "layer" (the default) or "rms". */
  readonly norm?: string;
  readonly eps?: number;
}

/** What a description may hold beside those: what the parameters say already, or what does nothing. */
const DESCRIBED = ["V", "T", "C", "L", "H", "act", "tied", "parallel", "norm", "eps", "bias", "hidden", "F", "kvHeads", "dropout"]; // prettier-ignore

/** The shapes of the parameters by their names. */
type Parameters = ReadonlyMap<string, Shape>;

/** @throws UnsupportedError for what it does not know */
export function createGpt(model: Readonly<Record<string, unknown>>, parameters: Parameters): Gpt {
  for (const [key, value] of Object.entries(model)) {
    const isOff = value === false || value === null || value === 0;
    if ((!DESCRIBED.includes(key) || key === "dropout") && !isOff) {
      throw new UnsupportedError(`model: expected a gpt with ${DESCRIBED.join(", ")}, found ${key}: ${JSON.stringify(value)}`); // prettier-ignore
    }
  }
  return new Gpt(model as unknown as GptShape, parameters);
}

type Layer = Module & { forward(x: Tensor): Tensor };

/** Layers as wide as their parameters, below `path`. */
class Builder {
  readonly #shape: GptShape;
  readonly #parameters: Parameters;

  constructor(shape: GptShape, parameters: Parameters) {
    this.#shape = shape;
    this.#parameters = parameters;
  }

  linear(path: string, [outputs, inputs]: readonly [number, number]): Linear {
    const [rows = outputs, columns = inputs] = this.#parameters.get(`${path}.weight`) ?? [];
    return new Linear(columns, rows, { bias: this.#parameters.has(`${path}.bias`) });
  }

  norm(path: string): Layer {
    const { C, norm = "layer", eps } = this.#shape;
    const given = eps === undefined ? {} : { eps };
    const [elementwiseAffine, bias] = ["weight", "bias"].map((name) => this.#parameters.has(`${path}.${name}`));
    switch (plainName(norm)) {
      case "layer":
      case "layernorm":
        return new LayerNorm(C, { ...given, elementwiseAffine: elementwiseAffine === true, bias: bias === true });
      case "rms":
      case "rmsnorm":
        return new RMSNorm(C, { ...given, elementwiseAffine: elementwiseAffine === true });
      default:
        throw new UnsupportedError(`model: expected the norm layer or rms, found "${norm}"`);
    }
  }
}

class Block extends Module {
  readonly ln1: Layer;
  readonly ln2: Layer;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly fc: Linear;
  readonly out: Linear;
  readonly heads: number;
  readonly parallel: boolean;
  readonly activate: (x: Tensor) => Tensor;

  constructor({ C, H, act, parallel }: GptShape, path: string, build: Builder) {
    super();
    this.ln1 = build.norm(`${path}.ln1`);
    this.ln2 = build.norm(`${path}.ln2`);
    this.qkv = build.linear(`${path}.qkv`, [3 * C, C]);
    this.proj = build.linear(`${path}.proj`, [C, C]);
    this.fc = build.linear(`${path}.fc`, [4 * C, C]);
    this.out = build.linear(`${path}.out`, [C, 4 * C]);
    this.heads = H;
    this.parallel = parallel;
    this.activate = hiddenActivation(act);
  }

  forward(x: Tensor): Tensor {
    if (this.parallel) return x.add(this.attend(x)).add(this.feed(x));
    const y = x.add(this.attend(x));
    return y.add(this.feed(y));
  }

  /** Fewer rows in `qkv` are fewer heads of keys and values, which groups of queries share. */
  private attend(x: Tensor): Tensor {
    const [B = 0, T = 0, C = 0] = x.shape;
    const size = C / this.heads;
    const rows = this.qkv.weight.shape[0] ?? 0;
    const shared = (rows - C) / 2 / size;
    const parts = this.qkv.forward(this.ln1.forward(x)).split([C, shared * size, shared * size], -1);
    const [q, k, v] = parts.map((part) => part.reshape([B, T, -1, size]).transpose(1, 2)) as [Tensor, Tensor, Tensor];
    const y = scaledDotProductAttention(q, k, v, { causal: true, enableGqa: shared !== this.heads });
    return this.proj.forward(y.transpose(1, 2).reshape([B, T, C]));
  }

  private feed(x: Tensor): Tensor {
    return this.out.forward(this.activate(this.fc.forward(this.ln2.forward(x))));
  }
}

/** The activation of that name; of a gated one, half the width remains. */
function hiddenActivation(act: string): (x: Tensor) => Tensor {
  const gate = GATES.get(plainName(act));
  const activation = activationOf(gate ?? act);
  if (activation === undefined) {
    const known = [...activationNames(), ...GATES.keys()].join(", ");
    throw new UnsupportedError(`model: hearth has no activation "${act}" yet; it knows ${known}`);
  }
  if (gate === undefined) return (x) => activation(x);
  return (x) => {
    const [open, value] = x.chunk(2, -1) as [Tensor, Tensor];
    return activation(open).mul(value);
  };
}

export class Gpt extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding | null;
  readonly blocks: ModuleList<Block>;
  readonly lnf: Layer;
  readonly head: Linear;

  constructor(shape: GptShape, parameters: Parameters) {
    super();
    const { V, T, C, L, tied } = shape;
    const build = new Builder(shape, parameters);
    this.wte = new Embedding(V, C);
    this.wpe = parameters.has("wpe.weight") ? new Embedding(T, C) : null;
    this.blocks = new ModuleList(Array.from({ length: L }, (_, i) => new Block(shape, `blocks.${i}`, build)));
    this.lnf = build.norm("lnf");
    this.head = build.linear("head", [V, C]);
    if (tied) this.head.weight = this.wte.weight;
  }

  forward(tokens: Tensor): Tensor {
    let x = this.wte.forward(tokens);
    if (this.wpe !== null) x = x.add(this.wpe.forward(arange(tokens.shape[1] ?? 0)));
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.lnf.forward(x));
  }
}
