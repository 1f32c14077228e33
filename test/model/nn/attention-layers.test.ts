/** Attention layers and transformers: PyTorch's names, and its formulas written out. */
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { arange } from "../../../src/compute/tensor/create-ranges.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { CausalSelfAttention } from "../../../src/model/nn/attention.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import type { Module } from "../../../src/model/nn/module.ts";
import { MultiheadAttention } from "../../../src/model/nn/multihead-attention.ts";
import { Transformer, TransformerEncoder } from "../../../src/model/nn/transformer.ts";
import { TransformerDecoderLayer, TransformerEncoderLayer } from "../../../src/model/nn/transformer-layers.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

function seeded<T>(fn: () => T): T {
  return withRandom(new Random(3, "layers"), fn);
}

function normal(shape: readonly number[], seed: number): Tensor {
  const random = new Random(seed, "inputs");
  return tensor({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  });
}

const namesOf = (module: Module): Record<string, number[]> =>
  Object.fromEntries(module.namedParameters().map(([name, { shape }]) => [name, [...shape]]));

async function expectEqual(found: Tensor, wanted: Tensor, digits = 5): Promise<void> {
  expect(found.shape).toEqual(wanted.shape);
  const [a = [], b = []] = await Tensor.readAll([found, wanted]);
  a.forEach((x, i) => expect(x, `element ${i}`).toBeCloseTo(b[i] ?? Number.NaN, digits));
}

describe("MultiheadAttention", () => {
  test("has PyTorch's parameters", () => {
    expect(namesOf(seeded(() => new MultiheadAttention(4, 2)))).toEqual({
      in_proj_weight: [12, 4], in_proj_bias: [12], "out_proj.weight": [4, 4], "out_proj.bias": [4],
    }); // prettier-ignore
    expect(namesOf(seeded(() => new MultiheadAttention(4, 2, { kdim: 3, vdim: 5, bias: false })))).toEqual({
      q_proj_weight: [4, 4], k_proj_weight: [4, 3], v_proj_weight: [4, 5], "out_proj.weight": [4, 4],
    }); // prettier-ignore
  });

  /** Head by head, out of matrix products: x [N, T, E]; `hidden` [N, T, S] is added. */
  async function byHeads(
    layer: MultiheadAttention,
    x: Tensor,
    memory: Tensor,
    hidden: Tensor,
  ): Promise<[Tensor, Tensor]> {
    const [E, H] = [layer.embedDim, layer.numHeads];
    const [weight, bias] = [layer.in_proj_weight as Tensor, layer.in_proj_bias as Tensor];
    const project = (y: Tensor, part: number): Tensor =>
      y.matmul(weight.narrow(0, part * E, E).transpose(0, 1)).add(bias.narrow(0, part * E, E));
    const [q, k, v] = [project(x, 0), project(memory, 1), project(memory, 2)];
    let output = zeros([...x.shape]);
    let mean = zeros([x.shape[0] ?? 0, x.shape[1] ?? 0, memory.shape[1] ?? 0]);
    for (let head = 0; head < H; head++) {
      const part = (y: Tensor): Tensor => y.narrow(2, (head * E) / H, E / H);
      const weights = part(q)
        .matmul(part(k).transpose(1, 2))
        .mul(Math.sqrt(H / E))
        .add(hidden)
        .softmax(2);
      const columns = layer.out_proj.weight.narrow(1, (head * E) / H, E / H);
      output = output.add(weights.matmul(part(v)).matmul(columns.transpose(0, 1)));
      mean = mean.add(weights.div(H));
    }
    return [output.add(layer.out_proj.bias as Tensor), mean];
  }

  test("gives the sum over heads, with masks that hide what is true in them", async () => {
    const layer = seeded(() => new MultiheadAttention(6, 3, { batchFirst: true }));
    (layer.in_proj_bias as Tensor).assign(normal([18], 9));
    const [x, memory] = [normal([2, 4, 6], 1), normal([2, 5, 6], 2)];
    const padding = arange(5)
      .unsqueeze(0)
      .ge(tensor(Int32Array.of(5, 3)).unsqueeze(1)); // The second has 3 keys.
    const ahead = arange(5).gt(arange(4).unsqueeze(1).add(1));
    const hidden = padding.unsqueeze(1).logicalOr(ahead).where(-1e30, 0);
    const [output, mean] = await byHeads(layer, x, memory, hidden);
    const options = { keyPaddingMask: padding, attnMask: ahead };
    const found = layer.call(x, memory, memory, options);
    await expectEqual(found.output, output);
    await expectEqual(found.weights as Tensor, mean);
    const each = layer.call(x, memory, memory, { ...options, averageAttnWeights: false });
    expect(each.weights?.shape).toEqual([2, 3, 4, 5]);
    expect(layer.call(x, memory, memory, { needWeights: false }).weights).toBeNull();
    const perHead = ahead.unsqueeze(0).expand([6, 4, 5]);
    await expectEqual(layer.call(x, memory, memory, { keyPaddingMask: padding, attnMask: perHead }).output, output);
    const added = layer.call(x, memory, memory, { keyPaddingMask: padding, attnMask: ahead.where(-1e30, 0) });
    await expectEqual(added.output, output);
  });

  test("time comes first by default, a batch may be missing, and all three forms agree", async () => {
    const options = { batchFirst: true };
    const [first, second] = [
      seeded(() => new MultiheadAttention(4, 2, options)),
      seeded(() => new MultiheadAttention(4, 2)),
    ];
    const x = normal([3, 5, 4], 1);
    const wanted = first.call(x, x, x, { isCausal: true });
    const swapped = x.transpose(0, 1);
    const found = second.call(swapped, swapped, swapped, { isCausal: true });
    await expectEqual(found.output, wanted.output.transpose(0, 1));
    await expectEqual(found.weights as Tensor, wanted.weights as Tensor);
    const one = x.select(0, 1);
    const single = second.call(one, one, one, { isCausal: true });
    await expectEqual(single.output, wanted.output.select(0, 1));
    await expectEqual(single.weights as Tensor, (wanted.weights as Tensor).select(0, 1));
    // Another tensor of the same values takes the way of three projections.
    const apart = second.call(one, one.mul(1.5).div(1.5), one, { isCausal: true });
    await expectEqual(apart.output, single.output, 4);
  });

  test("starts with out_proj.bias 0 and drops weights while it trains only", async () => {
    const layer = seeded(() => new MultiheadAttention(4, 2, { dropout: 0.5 }));
    expect([...(await (layer.out_proj.bias as Tensor).data())]).toEqual([0, 0, 0, 0]);
    const x = normal([6, 2, 4], 1);
    const [a, b] = [layer.call(x, x, x).output, layer.call(x, x, x).output];
    expect([...(await a.data())]).not.toEqual([...(await b.data())]);
    layer.eval();
    await expectEqual(layer.call(x, x, x).output, layer.call(x, x, x).output);
  });

  test("refuses what does not fit in one sentence", () => {
    expect(() => seeded(() => new MultiheadAttention(5, 2))).toThrow(OptionError);
    expect(() => seeded(() => new MultiheadAttention(5, 2))).toThrow(
      "MultiheadAttention: expected heads that divide the 5 features, found 2",
    );
    const layer = seeded(() => new MultiheadAttention(4, 2));
    const bad = (): unknown => layer.call(zeros([3, 4]), zeros([3, 1, 4]), zeros([3, 4]));
    expect(bad).toThrow(ShapeError);
    expect(bad).toThrow("found [3, 4], [3, 1, 4], [3, 4]");
  });
});

describe("CausalSelfAttention", () => {
  test("with fewer key heads gives what repeated key heads give", async () => {
    const [width, heads, keyHeads] = [12, 6, 2];
    const grouped = seeded(() => new CausalSelfAttention(width, { heads, keyHeads }));
    expect(namesOf(grouped)).toEqual({ "qkv.weight": [20, 12], "qkv.bias": [20], "proj.weight": [12, 12], "proj.bias": [12] });
    const whole = seeded(() => new CausalSelfAttention(width, { heads }));
    const repeated = (x: Tensor): Tensor => {
      const rest = x.shape.slice(1);
      const [q, kv] = [x.narrow(0, 0, 12), x.narrow(0, 12, 8).reshape([2, keyHeads, 1, 2, ...rest])];
      const around = rest.flatMap(() => [0, 0]);
      const all = kv.expand([2, keyHeads, heads / keyHeads, 2, ...rest]).reshape([24, ...rest]);
      return all.pad([...around, 12, 0]).add(q.pad([...around, 0, 24]));
    };
    whole.qkv.weight.assign(repeated(grouped.qkv.weight.detach()));
    whole.qkv.bias?.assign(repeated((grouped.qkv.bias as Tensor).detach()));
    whole.proj.weight.assign(grouped.proj.weight.detach());
    whole.proj.bias?.assign((grouped.proj.bias as Tensor).detach());
    const x = normal([2, 5, width], 1);
    await expectEqual(grouped.call(x), whole.call(x));
    expect(() => seeded(() => new CausalSelfAttention(width, { heads, keyHeads: 4 }))).toThrow(
      "CausalSelfAttention: expected key heads that divide the 6 heads, found 4",
    );
  });
}); // prettier-ignore

const SMALL = { dimFeedforward: 7, dropout: 0, batchFirst: true } as const;

describe("transformer layers", () => {
  test("have PyTorch's parameters, in its order", () => {
    const encoder = seeded(() => new TransformerEncoderLayer(4, 2, SMALL));
    const attention = (name: string): string[] => ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"].map((x) => `${name}.${x}`);
    const both = (...names: string[]): string[] => names.flatMap((name) => [`${name}.weight`, `${name}.bias`]);
    expect(Object.keys(namesOf(encoder))).toEqual([...attention("self_attn"), ...both("linear1", "linear2", "norm1", "norm2")]);
    const decoder = seeded(() => new TransformerDecoderLayer(4, 2, SMALL));
    expect(Object.keys(namesOf(decoder))).toEqual([
      ...attention("self_attn"), ...attention("multihead_attn"), ...both("linear1", "linear2", "norm1", "norm2", "norm3"),
    ]);
    const whole = seeded(() => new Transformer({ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 2, ...SMALL }));
    const names = Object.keys(namesOf(whole));
    expect(names.length).toBe(12 + 2 + 2 * 18 + 2);
    expect(names).toContain("encoder.layers.0.self_attn.in_proj_weight");
    expect(names).toContain("decoder.layers.1.multihead_attn.out_proj.bias");
    expect(names).toContain("encoder.norm.weight");
  }); // prettier-ignore

  test.each([false, true])("an encoder layer is its formula (normFirst: %s)", async (normFirst) => {
    const layer = seeded(() => new TransformerEncoderLayer(4, 2, { ...SMALL, normFirst, activation: "gelu" }));
    for (const [, parameter] of layer.namedParameters()) parameter.assign(normal(parameter.shape, parameter.size).mul(0.5));
    const x = normal([2, 3, 4], 1);
    const attend = (y: Tensor): Tensor => layer.self_attn.call(y, y, y, { isCausal: true }).output;
    const feed = (y: Tensor): Tensor => layer.linear2.call(layer.linear1.call(y).gelu());
    const [n1, n2] = [layer.norm1, layer.norm2];
    const after = n1.call(x.add(attend(x)));
    const before = x.add(attend(n1.call(x)));
    const wanted = normFirst ? before.add(feed(n2.call(before))) : n2.call(after.add(feed(after)));
    await expectEqual(layer.call(x, { isCausal: true }), wanted);
    const square = Transformer.generateSquareSubsequentMask(3);
    await expectEqual(layer.call(x, { srcMask: square }), wanted);
  }); // prettier-ignore

  test.each([false, true])("a decoder layer is its formula (normFirst: %s)", async (normFirst) => {
    const layer = seeded(() => new TransformerDecoderLayer(4, 2, { ...SMALL, normFirst, activation: (x) => x.tanh() }));
    const [x, memory] = [normal([2, 3, 4], 1), normal([2, 5, 4], 2)];
    const padding = arange(5).unsqueeze(0).ge(tensor(Int32Array.of(5, 2)).unsqueeze(1));
    const attend = (y: Tensor): Tensor => layer.self_attn.call(y, y, y, { isCausal: true }).output;
    const look = (y: Tensor): Tensor => layer.multihead_attn.call(y, memory, memory, { keyPaddingMask: padding }).output;
    const feed = (y: Tensor): Tensor => layer.linear2.call(layer.linear1.call(y).tanh());
    let y = x;
    for (const [norm, part] of [[layer.norm1, attend], [layer.norm2, look], [layer.norm3, feed]] as const) {
      y = normFirst ? y.add(part(norm.call(y))) : norm.call(y.add(part(y)));
    }
    await expectEqual(layer.call(x, memory, { tgtIsCausal: true, memoryKeyPaddingMask: padding }), y);
  }); // prettier-ignore

  test("an encoder's layers start alike and are trained apart", async () => {
    const encoder = seeded(() => new TransformerEncoder(new TransformerEncoderLayer(4, 2, SMALL), 2));
    const [a, b] = [encoder.layers.at(0), encoder.layers.at(1)];
    await expectEqual(a.linear1.weight, b.linear1.weight);
    expect(a.linear1.weight).not.toBe(b.linear1.weight);
    const x = normal([1, 3, 4], 1);
    const step = compile(() => {
      const loss = encoder.call(x).square().mul(normal([1, 3, 4], 5)).sum();
      const parameters = encoder.parameters();
      grad(loss, parameters).forEach((slope, i) => parameters[i]?.assign((parameters[i] as Tensor).detach().sub(slope.mul(0.1))));
      return loss;
    });
    const first = await (await step()).item();
    const second = await (await step()).item();
    step.destroy();
    expect(second).toBeLessThan(first);
    expect([...(await a.linear1.weight.data())]).not.toEqual([...(await b.linear1.weight.data())]);
    const apart = seeded(() => new TransformerEncoder(() => new TransformerEncoderLayer(4, 2, SMALL), 2));
    expect([...(await apart.layers.at(0).linear1.weight.data())]).not.toEqual([...(await apart.layers.at(1).linear1.weight.data())]);
  }); // prettier-ignore

  test("the whole passes source to memory to target", async () => {
    const whole = seeded(() => new Transformer({ dModel: 4, nhead: 2, numEncoderLayers: 1, numDecoderLayers: 1, ...SMALL }));
    const [src, tgt] = [normal([2, 5, 4], 1), normal([2, 3, 4], 2)];
    const memory = whole.encoder.norm?.call(whole.encoder.layers.at(0).call(src)) as Tensor;
    const wanted = whole.decoder.norm?.call(whole.decoder.layers.at(0).call(tgt, memory, { tgtIsCausal: true })) as Tensor;
    await expectEqual(whole.call(src, tgt, { tgtIsCausal: true }), wanted);
  }); // prettier-ignore

  test("refuse what does not fit in one sentence", () => {
    const bad = (): unknown => seeded(() => new TransformerEncoderLayer(4, 2, { activation: "elu" as "relu" }));
    expect(bad).toThrow("TransformerEncoderLayer: expected the activation relu, gelu or a function, found elu");
    expect(() => seeded(() => new TransformerEncoder(() => new TransformerEncoderLayer(4, 2), -1))).toThrow(
      "TransformerEncoder: expected a number of layers from 0, found -1",
    );
  });
});
