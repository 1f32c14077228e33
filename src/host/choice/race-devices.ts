/** A GPU and the processor in turns at one product of matrices, for as long as nobody notices. */
import { systemClock, type Clock } from "../../base/clock.ts";
import { DeadlineError, describeError, HearthError, InvariantError } from "../../base/errors.ts";
import { withDeadline } from "../../base/wait.ts";
import type { ContractionProblem } from "../../compute/compiler/tuning/problem.ts";
import type { Device, Recording } from "../../compute/device/device.ts";
import { ProblemBench, type Prepared } from "../../compute/runtime/problem-bench.ts";
import type { RaceOutcome, RaceTime } from "./gpu-or-cpu.ts";

const SIZE = 256;
const FLOAT = { layout: "N", dtype: "float32" } as const;
const PROBLEM: ContractionProblem = {
  kind: "contraction",
  batch: 1,
  rows: SIZE,
  inner: SIZE,
  columns: SIZE,
  left: FLOAT,
  right: FLOAT,
};
const OPERATIONS = 2 * SIZE ** 3;

/** Of timing; kernels are compiled and have run before. */
const TIMED_MS = 300;
/** With compiling: a GPU that takes longer has lost. */
const RACE_MS_MAX = 10_000;
/** A sample that takes less says little: more products are put in the next one. */
const SAMPLE_MS_MIN = 8;
const REPEATS_FIRST = 4;
const REPEATS_GROWTH = 4;
const REPEATS_MAX = 256;
/** Less is not told apart. */
const TICK_MS = 0.01;
/** Of the way to a device and back. */
const LATENCY_SAMPLES = 3;

/** Options of `raceDevices`. */
export interface RaceOptions {
  readonly clock?: Clock;
  /** Of timing, in milliseconds. */
  readonly timedMs?: number;
  /** Of all, with compiling. */
  readonly deadlineMs?: number;
}

/** Milliseconds of one product on each. Whatever goes wrong on the GPU is an outcome. @throws what the processor throws */
export async function raceDevices(gpu: Device, cpu: Device, options: RaceOptions = {}): Promise<RaceOutcome> {
  const { clock = systemClock, timedMs = TIMED_MS, deadlineMs = RACE_MS_MAX } = options;
  const [rival, own] = [new Runner(gpu, clock), new Runner(cpu, clock)];
  const lost = (error: unknown): RaceOutcome => ({
    kind: "failed",
    gpu: gpu.info.name,
    problem: error instanceof HearthError ? error.message : describeError(error),
  });
  try {
    await own.prepare();
    return await withDeadline("race", race(rival, own, timedMs, lost), clock, { deadlineMs });
  } catch (error) {
    if (error instanceof DeadlineError) return lost(error);
    throw error;
  } finally {
    rival.destroy();
    own.destroy();
  }
}

async function race(
  gpu: Runner,
  cpu: Runner,
  timedMs: number,
  lost: (error: unknown) => RaceOutcome,
): Promise<RaceOutcome> {
  const failure = await gpu.prepare().then(() => null, lost);
  if (failure !== null) return failure;
  const place = gpu.result.findIndex((byte, i) => byte !== cpu.result[i]);
  if (place >= 0)
    return lost(new InvariantError(`expected the processor's product, found another one at byte ${place}`));
  const endMs = cpu.clock.nowMs() + timedMs;
  do {
    await cpu.sample();
    const failed = await gpu.sample().then(() => null, lost);
    if (failed !== null) return failed;
  } while (cpu.clock.nowMs() < endMs);
  const timeOf = ({ name, ms }: Runner): RaceTime => ({ name, ms });
  return { kind: "timed", gpu: timeOf(gpu), cpu: timeOf(cpu), operations: OPERATIONS };
}

/** One device at the product. */
class Runner {
  readonly #device: Device;
  readonly clock: Clock;
  result: Uint8Array = new Uint8Array();
  readonly #bench: ProblemBench;
  #prepared: Prepared = [];
  #latencyMs = Infinity;
  #repeats = REPEATS_FIRST;
  #recording: Recording | undefined;
  /** The best of long samples with as many products. */
  #bestMs = Infinity;
  /** Of one product, by the last sample that was too short. */
  #roughMs = Infinity;

  constructor(device: Device, clock: Clock) {
    this.#device = device;
    this.clock = clock;
    this.#bench = new ProblemBench(device, PROBLEM);
  }

  get name(): string {
    return this.#device.info.name;
  }

  /** Of one product. */
  get ms(): number {
    return this.#bestMs < Infinity ? this.#bestMs / this.#repeats : this.#roughMs;
  }

  async prepare(): Promise<void> {
    this.#prepared = await this.#bench.prepareDefault();
    const [result = new Uint8Array()] = await this.#bench.run(this.#prepared);
    this.result = result;
    const [source, target] = [this.#device.createBuffer(4), this.#device.createBuffer(4)];
    const copy = { kind: "copy", source, target, sourceOffset: 0, targetOffset: 0, bytes: 4 } as const;
    const nothing = this.#device.record([copy]);
    for (let i = 0; i < LATENCY_SAMPLES; i++) this.#latencyMs = Math.min(this.#latencyMs, await this.#timed(nothing));
    for (const buffer of [source, target]) buffer.destroy();
  }

  async sample(): Promise<void> {
    const commands = Array.from({ length: this.#repeats }, () => this.#prepared).flat();
    this.#recording ??= this.#device.record(commands);
    const tookMs = await this.#timed(this.#recording);
    // By a clock of coarse ticks nothing may take no time at all.
    const ownMs = Math.max(tookMs / 16, tookMs - this.#latencyMs, TICK_MS);
    if (ownMs >= SAMPLE_MS_MIN || this.#repeats === REPEATS_MAX) {
      this.#bestMs = Math.min(this.#bestMs, ownMs);
      return;
    }
    this.#roughMs = ownMs / this.#repeats;
    this.#repeats *= REPEATS_GROWTH;
    this.#recording = undefined;
  }

  async #timed(recording: Recording): Promise<number> {
    const startMs = this.clock.nowMs();
    this.#device.submit(recording);
    await this.#device.idle();
    return this.clock.nowMs() - startMs;
  }

  destroy(): void {
    this.#bench.destroy();
  }
}
