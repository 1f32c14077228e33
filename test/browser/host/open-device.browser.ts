/** What a real browser computes on, by itself and in doubt. */
import { expect, test } from "vitest";
import { openDevice } from "../../../src/host/browser/open-device.ts";
import { disguised } from "../../host/choice/disguised-gpu.ts";

test("a GPU in software is not taken: the processor is", async () => {
  const { device, reason } = await openDevice("auto", { threads: 1 });
  expect(device.info.kind).toBe("wasm");
  expect(reason).toMatch(/emulated/);
  device.destroy();
});

test("a GPU in software that says it is an old one loses a race against WebAssembly, with both figures", async () => {
  const gpu = disguised(navigator.gpu, { vendor: "intel", architecture: "gen-7" });
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    const { device, reason } = await openDevice("auto", { threads: 1 });
    expect(device.info.kind).toBe("wasm");
    expect(reason).toMatch(/^The CPU computes: .* it did [\d.e+]+ GFLOP\/s, the GPU \(intel gen-7\) [\d.e+]+\.$/);
    device.destroy();
  } finally {
    Reflect.deleteProperty(navigator, "gpu");
  }
});
