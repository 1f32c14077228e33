/** float16 tensors on every device that has them: the same bits on all, which are those of float32 arithmetic rounded. */
import { afterAll, describe, expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { roundToFloat16 } from "../../../src/base/float16.ts";
import { Random } from "../../../src/base/random.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../device/devices.ts";

const half = { dtype: "float16" } as const;

function draw(length: number, label: string): Float32Array<ArrayBuffer> {
  const random = new Random(7, label);
  return Float32Array.from({ length }, () => (random.uniform() - 0.5) * 2 ** (random.below(44) - 27));
}

describe.each(["reference", "wasm", "webgpu in Node"])("%s", (name) => {
  let runtime: Runtime | undefined;
  const isMissing = name === "webgpu in Node" && webGpuMissing !== undefined;
  const it = test.skipIf(isMissing);
  const use = async (): Promise<Runtime> => {
    const open = { reference: async () => new ReferenceDevice(), wasm: openWasm }[name] ?? openNodeWebGpu;
    runtime ??= createRuntime(await open());
    setDefaultRuntime(runtime);
    return runtime;
  };
  afterAll(() => {
    runtime?.device.destroy();
    setDefaultRuntime(null);
  });

  it("what is stored is rounded exactly, on the host and on the device, for odd lengths too", async () => {
    await use();
    const values = draw(4_001, "stored");
    const rounded = [...values].map(roundToFloat16);
    expect([...(await tensor(values, half).data())]).toEqual(rounded);
    expect([...(await tensor(values).cast("float16").data())]).toEqual(rounded);
    expect([...(await tensor(values).cast("float16").cast("float32").data())]).toEqual(rounded);
  });

  it("arithmetic rounds after each op, whatever is fused", async () => {
    await use();
    const [a, b] = [draw(999, "a"), draw(999, "b")].map((values) => values.map((x) => roundToFloat16(x * 2 ** 6)));
    const x = tensor(present(a, "a"), half);
    const y = tensor(present(b, "b"), half);
    const fused = x.mul(y).add(x).sub(0.1);
    const expected = [...present(a, "a")].map((p, i) => {
      const q = present(b, "b")[i] ?? 0;
      const product = roundToFloat16(Math.fround(p * q));
      return roundToFloat16(Math.fround(roundToFloat16(Math.fround(product + p)) - roundToFloat16(0.1)));
    });
    expect(fused.dtype).toBe("float16");
    expect([...(await fused.data())]).toEqual(expected);
  });

  it("sums and products accumulate in float32", async () => {
    await use();
    const many = tensor(new Float32Array(10_000).fill(1.5), half);
    expect(await many.sum().item()).toBe(15_000);
    expect(
      await many
        .reshape([1, 10_000])
        .matmul(many.reshape([10_000, 1]))
        .item(),
    ).toBe(22_496); // 22,500, rounded.
    expect(await many.mean().item()).toBe(1.5);
  });

  it("a layer in float16 learns, with gradients of its dtype, in a compiled step", async () => {
    const on = await use();
    const random = new Random(3);
    const weight = tensor({ shape: [4, 8], data: Float32Array.from({ length: 32 }, () => random.normal() / 4) }, { ...half, requiresGrad: true }); // prettier-ignore
    const inputs = Float32Array.from({ length: 16 * 8 }, () => random.normal());
    const x = tensor({ shape: [16, 8], data: inputs }, half);
    const target = zeros([16, 4], half).add(0.5);
    const step = compile(
      () => {
        const loss = x.matmul(weight.transpose(0, 1)).tanh().sub(target).square().mean();
        loss.backward();
        expect(weight.grad?.dtype).toBe("float16");
        weight.assign(weight.detach().sub(present(weight.grad, "a gradient").mul(0.5)));
        weight.grad = null;
        return loss;
      },
      { runtime: on },
    );
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push(await (await step()).item());
    expect(losses.at(-1)).toBeLessThan(0.7 * present(losses[0], "the first loss"));
    step.destroy();
  });
});

test("a device without float16 refuses it with one sentence", async () => {
  class Lacking extends NullDevice {
    override readonly info = { ...new NullDevice().info, hasFloat16: false };
  }
  const runtime = createRuntime(new Lacking());
  setDefaultRuntime(runtime);
  await expect(tensor([1, 2]).cast("float16").realize()).rejects.toThrow(
    /expected a device with float16, found null: use float32 there/,
  );
  setDefaultRuntime(null);
});
