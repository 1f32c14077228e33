/** Whether the GPU or the processor computes: pure; `race-devices.ts` measures. */
import type { DeviceInfo } from "../../compute/device/device.ts";

/**
 * Families of which every GPU, the smallest included, is far ahead of the processors beside it, by Dawn's names. All
 * others are in doubt: integrated ones of old, families that have both kinds, and what a browser does not name.
 */
const FAST: ReadonlyMap<string, RegExp> = new Map([
  ["nvidia", /^(turing|ampere|lovelace|hopper|blackwell)/],
  ["amd", /^(rdna-1|rdna-4|cdna)/],
  ["intel", /^(gen-12hp|xe-hpg|xe-2hpg)/],
  ["apple", /^/],
]);

/** The processor has to be ahead by as much: at equal speed the GPU leaves it to the page. */
const CPU_LEAD_MIN = 1.1;

/** What a race found of one device. */
export interface RaceTime {
  /** For people. */
  readonly name: string;
  /** Of one product. */
  readonly ms: number;
}

/** What a race found. */
export type RaceOutcome =
  | { readonly kind: "timed"; readonly gpu: RaceTime; readonly cpu: RaceTime; readonly operations: number }
  /** The GPU threw, was lost, was late or computed something else than the processor. */
  | { readonly kind: "failed"; readonly gpu: string; readonly problem: string };

export interface Verdict {
  readonly winner: "gpu" | "cpu";
  /** One sentence for people, with both figures. */
  readonly reason: string;
}

/** True for a GPU that need not be compared with the processor. */
export function isClearlyFast({ adapter }: DeviceInfo): boolean {
  if (adapter === undefined) return false;
  return FAST.get(adapter.vendor.toLowerCase())?.test(adapter.architecture.toLowerCase()) ?? false;
}

/** The faster one. */
export function judge(outcome: RaceOutcome): Verdict {
  if (outcome.kind === "failed") {
    const reason = `The CPU computes, since the GPU (${outcome.gpu}) failed at a first product of matrices: ${outcome.problem}`;
    return { winner: "cpu", reason };
  }
  const { gpu, cpu, operations } = outcome;
  const speed = ({ ms }: RaceTime): string => words(operations / (ms * 1e6));
  const winner = cpu.ms * CPU_LEAD_MIN < gpu.ms ? "cpu" : "gpu";
  const [mine, figure, other, otherFigure] =
    winner === "cpu" ? ["CPU", speed(cpu), `GPU (${gpu.name})`, speed(gpu)] : ["GPU", speed(gpu), `CPU`, speed(cpu)];
  const reason = `The ${mine} computes: in a short race over a product of matrices it did ${figure} GFLOP/s, the ${other} ${otherFigure}.`;
  return { winner, reason };
}

/** Two digits are what so short a race can tell. */
function words(gigaflops: number): string {
  return gigaflops >= 10 ? String(Math.round(gigaflops)) : gigaflops.toPrecision(2);
}
