import fc from "fast-check";
import { expect, test } from "vitest";
import type { DeviceInfo } from "../../../src/compute/device/device.ts";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import { isClearlyFast, judge, type RaceOutcome, type Verdict } from "../../../src/host/choice/gpu-or-cpu.ts";

const OPERATIONS = 2 * 256 ** 3;
/** Of one product: from a phone's first core to the largest GPU. */
const times = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

function judged(gpuMs: number, cpuMs: number, operations: number = OPERATIONS): Verdict {
  return judge({ kind: "timed", gpu: { name: "acme", ms: gpuMs }, cpu: { name: "CPU", ms: cpuMs }, operations });
}

function infoOf(vendor: string, architecture: string): DeviceInfo {
  return { ...new NullDevice().info, adapter: { vendor, architecture } };
}

test("the faster device wins, whatever unit the times are in, and a GPU of equal speed", () => {
  fc.assert(
    fc.property(times, times, fc.constantFrom(0.5, 2, 1024), (gpuMs, cpuMs, scale) => {
      const { winner } = judged(gpuMs, cpuMs);
      expect(judged(gpuMs * scale, cpuMs * scale).winner).toBe(winner);
      if (gpuMs <= cpuMs) expect(winner).toBe("gpu");
      if (gpuMs > cpuMs * 1.2) expect(winner).toBe("cpu");
    }),
  );
});

test("a device that gets faster never loses by it", () => {
  fc.assert(
    fc.property(times, times, fc.double({ min: 1, max: 100, noNaN: true }), (gpuMs, cpuMs, faster) => {
      const { winner } = judged(gpuMs, cpuMs);
      if (winner === "gpu") expect(judged(gpuMs / faster, cpuMs).winner).toBe("gpu");
      else expect(judged(gpuMs, cpuMs / faster).winner).toBe("cpu");
    }),
  );
});

test("the reason is one sentence that names the winner first, with both figures", () => {
  fc.assert(
    fc.property(times, times, (gpuMs, cpuMs) => {
      const { winner, reason } = judged(gpuMs, cpuMs);
      expect(reason).toMatch(winner === "gpu" ? /^The GPU computes: / : /^The CPU computes: /);
      expect(reason.match(/[\d.e+-]*\d/g)).toHaveLength(2);
      expect(reason).toMatch(/^[^.!?]*(\.\d[^.!?]*)*\.$/);
    }),
  );
  expect(judged(2.8, 0.7).reason).toBe(
    "The CPU computes: in a short race over a product of matrices it did 48 GFLOP/s, the GPU (acme) 12.",
  );
});

test("a GPU that failed has lost, and the reason says how", () => {
  const failed: RaceOutcome = {
    kind: "failed",
    gpu: "acme",
    problem: "race: expected an end within 5000 ms, found none",
  };
  expect(judge(failed)).toEqual({
    winner: "cpu",
    reason:
      "The CPU computes, since the GPU (acme) failed at a first product of matrices: race: expected an end within 5000 ms, found none",
  });
});

test("old, integrated, unknown and unnamed GPUs are in doubt", () => {
  const fast = [["nvidia", "ampere"], ["Apple", "metal-3"], ["apple", ""], ["amd", "rdna-1"], ["intel", "xe-2hpg"]] as const; // prettier-ignore
  for (const [vendor, architecture] of fast) expect(isClearlyFast(infoOf(vendor, architecture)), vendor).toBe(true);
  const doubtful = [
    ["intel", "gen-8"], ["intel", "gen-12lp"], ["amd", "gcn-5"], ["amd", "rdna-2"], ["nvidia", "kepler"], ["nvidia", ""],
    ["qualcomm", "adreno-6xx"], ["arm", "bifrost-gen1"], ["", ""], ["constructor", "ampere"], ["toString", ""],
  ] as const; // prettier-ignore
  for (const [vendor, architecture] of doubtful)
    expect(isClearlyFast(infoOf(vendor, architecture)), vendor).toBe(false);
  expect(isClearlyFast(new NullDevice().info)).toBe(false);
});
