import { expect, test } from "vitest";
import { DeadlineError, DeviceLostError, UnsupportedError } from "../../../src/base/errors.ts";
import type { Device, DeviceKind } from "../../../src/compute/device/device.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import type { DeviceChoice } from "../../../src/host/browser/engine-api.ts";
import { openSoundDevice } from "../../../src/host/browser/open-sound-device.ts";
import type { ChosenDevice } from "../../../src/host/choice/choose-device.ts";

/** A browser whose `auto` is `first`, and of whose devices some compute wrongly; `opened` has the kinds in their order. */
function browser(first: DeviceKind, wrong: readonly DeviceKind[], missing: readonly DeviceKind[] = []) {
  const opened: DeviceKind[] = [];
  const alive = new Set<Device>();
  const open = async (choice: DeviceChoice): Promise<ChosenDevice> => {
    const kind = choice === "auto" ? first : choice;
    if (missing.includes(kind)) throw new UnsupportedError(`no ${kind}`);
    opened.push(kind);
    const device: Device = new NullDevice();
    Object.assign(device, {
      info: { ...device.info, kind, name: `the ${kind} device`, isSoftware: false },
      destroy: () => alive.delete(device),
    });
    alive.add(device);
    return { device, reason: `It is ${kind}.` };
  };
  const probe = async ({ info }: Device): Promise<string | null> =>
    wrong.includes(info.kind) ? "matmul: expected 1, found 2" : null;
  return { opened, alive, open, probe };
}

test("a sound device is taken as it is", async () => {
  const { open, probe, opened } = browser("webgpu", []);
  expect(await openSoundDevice("auto", { open, probe })).toMatchObject({ reason: "It is webgpu." });
  expect(opened).toEqual(["webgpu"]);
});

test("a GPU that computes wrongly is left for the processor, and the reason names the operation", async () => {
  const { open, probe, opened, alive } = browser("webgpu", ["webgpu"]);
  const { device, reason } = await openSoundDevice("auto", { open, probe });
  expect(reason).toBe(
    "the webgpu device is left out, since it computes wrongly: matmul: expected 1, found 2. It is wasm.",
  );
  expect(opened).toEqual(["webgpu", "wasm"]);
  expect([...alive]).toEqual([device]);
});

test("without WebAssembly, or where that is wrong too, the last one is tried, and none twice", async () => {
  const without = browser("webgpu", ["webgpu"], ["wasm"]);
  expect((await openSoundDevice("auto", without)).device.info.kind).toBe("reference");
  const both = browser("wasm", ["wasm"]);
  expect((await openSoundDevice("auto", both)).reason.match(/left out/g)).toHaveLength(1);
});

test("a device asked for by name is not replaced: the error names operation, expected and found", async () => {
  const { open, probe, alive } = browser("webgpu", ["webgpu"]);
  await expect(openSoundDevice("webgpu", { open, probe })).rejects.toThrow(
    /expected one that computes known answers.*webgpu device.*matmul: expected 1, found 2/,
  );
  expect(alive.size).toBe(0);
});

test("a device that is lost in its examination is one that computes wrongly", async () => {
  const { open } = browser("webgpu", []);
  let probes = 0;
  const probe = async (): Promise<string | null> => {
    if (probes++ === 0) throw new DeviceLostError("the GPU process ended");
    return null;
  };
  expect((await openSoundDevice("auto", { open, probe })).device.info.kind).toBe("wasm");
});

test("a GPU in software is not examined, and one that is too slow for it is taken all the same", async () => {
  const slow = async (): Promise<string | null> => {
    throw new DeadlineError("probe: expected an end within 60000 ms, found none");
  };
  const { open, alive } = browser("webgpu", []);
  expect((await openSoundDevice("auto", { open, probe: slow })).device.info.kind).toBe("webgpu");
  const wrong = async (): Promise<string> => "matmul: expected 1, found 2";
  const inSoftware = async (choice: DeviceChoice): Promise<ChosenDevice> => {
    const chosen = await open(choice);
    Object.assign(chosen.device.info, { isSoftware: true });
    return chosen;
  };
  expect((await openSoundDevice("webgpu", { open: inSoftware, probe: wrong })).device.info.kind).toBe("webgpu");
  expect(alive.size).toBe(2);
});
