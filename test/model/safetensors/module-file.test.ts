import { beforeAll, expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { Linear } from "../../../src/model/nn/linear.ts";
import { Module } from "../../../src/model/nn/module.ts";
import { Buffer } from "../../../src/model/nn/parameter.ts";
import { loadModule, saveModule } from "../../../src/model/safetensors/module-file.ts";
import { bytesSource } from "../../../src/model/safetensors/ranged-source.ts";
import { SafetensorsFile } from "../../../src/model/safetensors/safetensors-file.ts";
import { writeSafetensors } from "../../../src/model/safetensors/write-safetensors.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

class Net extends Module {
  readonly first: Linear = new Linear(2, 3);
  readonly steps: Buffer = new Buffer({ shape: [], data: Int32Array.of(0) });
  readonly scale: Buffer = new Buffer({ shape: [1], data: Float32Array.of(1) });
  readonly tied: Linear = this.first;
}

function fresh(seed: number): Net {
  return withRandom(new Random(seed), () => new Net());
}

beforeAll(() => setDefaultRuntime(deviceRuntime()));

async function opened(bytes: Uint8Array<ArrayBuffer>): Promise<SafetensorsFile> {
  return SafetensorsFile.open(bytesSource(bytes));
}

test("a module is saved and loaded by PyTorch's names, shared tensors once", async () => {
  const net = fresh(1);
  const file = await saveModule(net, { metadata: { format: "pt" } });
  const saved = await opened(file);
  expect([...saved.names].sort()).toEqual(["first.bias", "first.weight", "scale", "steps"]);
  const other = fresh(2);
  await loadModule(other, saved);
  expect(await other.stateDict()).toEqual(await net.stateDict());
  const half = await opened(await saveModule(net, { floats: "bfloat16" }));
  expect(half.info("first.weight").dtype).toBe("BF16");
  expect(half.info("steps").dtype).toBe("I32");
});

const weights = {
  "first.weight": { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  "first.bias": { shape: [3], data: Float32Array.of(7, 8, 9) },
  scale: { shape: [1], data: Int32Array.of(4) },
  steps: { shape: [], data: Uint32Array.of(5) },
};

test("numbers take the module's dtypes, and names can be changed or left out", async () => {
  const net = fresh(2);
  const named = Object.fromEntries(Object.entries(weights).map(([name, values]) => [`model.${name}`, values]));
  const file = await opened(writeSafetensors({ ...named, "head.weight": { shape: [1], data: Float32Array.of(0) } }));
  const loaded: number[] = [];
  await loadModule(net, file, {
    rename: (name) => (name.startsWith("model.") ? name.slice(6) : null),
    onProgress: ({ bytesLoaded }) => loaded.push(bytesLoaded),
  });
  expect(await net.first.weight.data()).toEqual(weights["first.weight"].data);
  expect(await net.scale.data()).toEqual(Float32Array.of(4));
  expect(await net.steps.data()).toEqual(Int32Array.of(5));
  expect(loaded.at(-1)).toBe(44);
});

test("missing and unknown names and other shapes are refused", async () => {
  const net = fresh(2);
  const { scale, ...fewer } = weights;
  await expect(loadModule(net, await opened(writeSafetensors(fewer)))).rejects.toThrow(/\(scale\)/);
  const more = await opened(writeSafetensors({ ...weights, other: scale }));
  await expect(loadModule(net, more)).rejects.toThrow(/\(other\)/);
  await loadModule(net, more, { strict: false });
  const bent = { ...weights, scale: { shape: [2], data: Float32Array.of(1, 2) } };
  await expect(loadModule(net, await opened(writeSafetensors(bent)))).rejects.toThrow(ShapeError);
  await expect(loadModule(net, more, { rename: () => "scale" })).rejects.toThrow(OptionError);
});
