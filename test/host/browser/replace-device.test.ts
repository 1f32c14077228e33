import { afterEach, expect, test, vi } from "vitest";
import { DeviceLostError } from "../../../src/base/errors.ts";
import { replaceDevice } from "../../../src/host/browser/replace-device.ts";
import type { ChosenDevice } from "../../../src/host/choice/choose-device.ts";
import { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";

const LOST = new DeviceLostError("the GPU process ended");

/** As much of a GPU's device as opening it looks at. */
const DEVICE = { lost: new Promise<never>(() => {}), features: new Set<string>(), limits: {}, destroy: () => {} };
const ADAPTER = {
  info: { vendor: "acme", architecture: "", device: "", description: "", isFallbackAdapter: false },
  limits: {},
  features: new Set<string>(),
  requestDevice: async () => DEVICE,
};

type Answer = typeof ADAPTER | null | "none, ever";

/** A browser whose GPU answers so, one answer a request; the last one again and again. */
function answering(...answers: readonly Answer[]): void {
  const left = [...answers];
  const requestAdapter = (): Promise<unknown> => {
    const answer = left.length > 1 ? left.shift() : left[0];
    return answer === "none, ever" ? new Promise(() => {}) : Promise.resolve(answer);
  };
  vi.stubGlobal("navigator", { gpu: { requestAdapter } });
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function replacing(): { clock: VirtualClock; opened: ChosenDevice[]; tryOnce: () => Promise<string> } {
  const clock = new VirtualClock(settled);
  const opened: ChosenDevice[] = [];
  const reopen = replaceDevice("auto", "webgpu", (chosen) => opened.push(chosen), clock);
  const tryOnce = (): Promise<string> =>
    reopen(LOST).then(
      ({ info }) => info.kind,
      () => "none",
    );
  return { clock, opened, tryOnce };
}

afterEach(() => vi.unstubAllGlobals());

test("a GPU that comes back after a moment is used again, and every loss is met with as much patience", async () => {
  const { opened, tryOnce } = replacing();
  answering(null, null, ADAPTER, null, null, ADAPTER);
  const kinds: string[] = [];
  for (let count = 0; count < 6; count++) kinds.push(await tryOnce());
  expect(kinds).toEqual(["none", "none", "webgpu", "none", "none", "webgpu"]);
  expect(opened.map(({ reason }) => reason)).toEqual(Array(2).fill(expect.stringMatching(/came back/)));
});

test("a GPU that stays away is replaced by the CPU, which says so", async () => {
  const { opened, tryOnce } = replacing();
  answering(null);
  const kinds: string[] = [];
  for (let count = 0; count < 4; count++) kinds.push(await tryOnce());
  expect(kinds).toEqual(["none", "none", "none", "wasm"]);
  expect(opened).toMatchObject([{ reason: expect.stringMatching(/goes on with the CPU: the GPU process ended/) }]);
});

test("a processor's device that failed is opened again, and nobody asks for a GPU", async () => {
  const opened: ChosenDevice[] = [];
  answering(ADAPTER);
  const reopen = replaceDevice("auto", "wasm", (chosen) => opened.push(chosen), new VirtualClock(settled));
  const trap = new DeviceLostError("wasm device: expected kernels that run, found: kernel add: a trap");
  for (let count = 0; count < 2; count++) {
    const device = await reopen(trap);
    expect(device.info.kind).toBe("wasm");
    device.destroy();
  }
  expect(opened.map(({ reason }) => reason)).toEqual(
    Array(2).fill(expect.stringMatching(/^The CPU failed .* a trap$/)),
  );
});

test("a browser that never answers has the CPU at work within half of a step's deadline", async () => {
  const { clock, opened, tryOnce } = replacing();
  answering("none, ever");
  let kind = "waiting";
  void tryOnce().then((found) => (kind = found));
  await clock.advance(14_000);
  expect(kind).toBe("waiting");
  await clock.advance(2_000);
  expect(kind).toBe("wasm");
  expect(opened).toHaveLength(1);
});
