import { expect, test } from "vitest";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";

test("the null device keeps what it was asked to do, in order", async () => {
  const device = new NullDevice();
  const [a, b] = [device.createBuffer(16), device.createBuffer(8)];
  device.write(a, new Uint8Array(8), 8);
  const recording = device.record([{ kind: "copy", source: a, sourceOffset: 0, target: b, targetOffset: 0, bytes: 8 }]);
  device.submit(recording);
  expect(await device.measure(recording)).toEqual([0]);
  await device.read(b, 4);
  b.destroy();
  b.destroy();
  device.destroy();
  expect(device.calls).toEqual([
    { kind: "createBuffer", buffer: a },
    { kind: "createBuffer", buffer: b },
    { kind: "write", buffer: a, offset: 8, bytes: 8 },
    { kind: "record", recording },
    { kind: "submit", recording },
    { kind: "measure", recording },
    { kind: "read", buffer: b, bytes: 4 },
    { kind: "destroyBuffer", buffer: b },
    { kind: "destroy" },
  ]);
});
