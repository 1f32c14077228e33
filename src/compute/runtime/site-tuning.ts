/** Tuning one site: each candidate is compiled, checked against the oracle, and timed in turn with the others. */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { AbortedError, describeError, DeviceLostError, InvariantError, UnsupportedError } from "../../base/errors.ts";
import { shrunk, type Problem } from "../compiler/tuning/problem.ts";
import { Race, type RaceRules } from "../compiler/tuning/race.ts";
import type { Site } from "../compiler/tuning/site.ts";
import { entryOf, type TuningEntry } from "../compiler/tuning/table.ts";
import type { Device } from "../device/device.ts";
import { elementCount } from "../layout/shape.ts";
import { firstDifference } from "./first-difference.ts";
import { ProblemBench, type Prepared } from "./problem-bench.ts";
import type { TuningBudget } from "./tuning-budget.ts";

/**
 * Elementary operations of the problem that is timed: some 50 ms on an adapter in software, some 5 ms on a small GPU;
 * and of the one that candidates are checked on, since the oracle does some 10^9 a second.
 */
const TIMED_OPERATIONS_MAX = { software: 2 ** 27, hardware: 2 ** 32 } as const;
const CHECKED_OPERATIONS_MAX = 2 ** 27;
/** What one measurement should take at least: clocks are as coarse as 0.1 ms. */
const MEASURED_MS = 4;
/** Runs in a row: the first guess may have met a busy moment. */
const REPEATS_MIN = 2;
const REPEATS_MAX = 64;
/** Measurements given up because others computed meanwhile, before the site is. */
const DISTURBED_MAX = 8;

interface Timed {
  readonly prepared: Prepared;
  /** Runs in a row of one measurement. */
  readonly repeats: number;
}

/** What a site's tuning needs of the one who drives it. */
export interface TuningBench {
  readonly device: Device;
  readonly oracle: Device;
  readonly budget: TuningBudget;
  readonly rules: RaceRules;
  /** Grows when somebody else has the device work. */
  activity(): number;
  /** Another device after a loss; null where there is none to go on with. */
  replace(): Promise<Device | null>;
}

export class SiteTuning {
  readonly #site: Site;
  readonly #on: TuningBench;
  readonly #race: Race;
  #device: Device;
  readonly #checkedProblem: Problem;
  readonly #timedProblem: Problem;
  readonly #prepared = new Map<string, Timed>();
  #timed: ProblemBench | null = null;
  #disturbed = 0;

  constructor(site: Site, on: TuningBench, known: TuningEntry | undefined) {
    this.#site = site;
    this.#on = on;
    this.#device = on.device;
    this.#race = new Race(site.candidates, on.rules);
    this.#checkedProblem = shrunk(site.problem, CHECKED_OPERATIONS_MAX);
    const { software, hardware } = TIMED_OPERATIONS_MAX;
    this.#timedProblem = shrunk(site.problem, on.device.info.isSoftware ? software : hardware);
    for (const { name, rejection } of known?.candidates ?? []) {
      if (rejection !== null && site.candidates.includes(name)) this.#race.noteRejection(name, rejection);
    }
  }

  /** Measures until the candidates are told apart. When the budget is used up, no further ones begin. @throws AbortedError */
  async run(): Promise<TuningEntry> {
    const { budget, oracle } = this.#on;
    const expected = await budget.work(() => expectedOf(oracle, this.#checkedProblem));
    try {
      for (let isOpen = true; isOpen;) {
        if (budget.isSpent) this.#race.close();
        const name = this.#race.next();
        isOpen = name !== undefined && (await this.#measure(name, expected));
      }
    } finally {
      this.#timed?.destroy();
    }
    return entryOf(this.#site, this.#race.results(), this.#race.winner());
  }

  /** One run of a candidate, or its rejection; false when measuring cannot go on. */
  async #measure(name: string, expected: readonly Bytes[]): Promise<boolean> {
    const { budget } = this.#on;
    try {
      if (!this.#prepared.has(name)) {
        const timed = await budget.work(() => this.#prepare(name, expected));
        if (timed === null) {
          this.#race.drop(name);
          return true;
        }
        this.#prepared.set(name, timed);
      }
      const ms = await this.#timeMs(name);
      if (ms === null) return false;
      this.#race.noteRun(name, ms);
      return true;
    } catch (error) {
      // Whoever ended it, it was not the candidate.
      if (error instanceof AbortedError) throw error;
      this.#race.noteRejection(name, describeError(error));
      if (!(error instanceof DeviceLostError)) return true;
      this.#timed = null;
      this.#prepared.clear();
      const device = await this.#on.replace();
      this.#device = device ?? this.#device;
      return device !== null;
    }
  }

  /** Null for what is offered for the site's own problem, and not for one small enough to be measured. */
  async #prepare(name: string, expected: readonly Bytes[]): Promise<Timed | null> {
    this.#timed ??= new ProblemBench(this.#device, this.#timedProblem);
    const prepared = await this.#timed.prepare(name);
    if (prepared === null) return null;
    if (isSame(this.#checkedProblem, this.#timedProblem)) await check(this.#timed, name, prepared, expected);
    else if (!(await checkSmall(this.#device, this.#checkedProblem, name, expected))) return null;
    // Drivers compile, and memory is touched, in the first run.
    await this.#timed.timeMs(prepared, 1);
    const onceMs = Math.max(1e-3, (await this.#timed.timeMs(prepared, 1)) ?? 0);
    return { prepared, repeats: Math.max(REPEATS_MIN, Math.min(REPEATS_MAX, Math.ceil(MEASURED_MS / onceMs))) };
  }

  /** Of a run while nobody else computes; null where somebody always does. */
  async #timeMs(name: string): Promise<number | null> {
    const { prepared, repeats } = present(this.#prepared.get(name), "tune: a prepared candidate");
    for (; this.#disturbed < DISTURBED_MAX; this.#disturbed += 1) {
      const before = this.#on.activity();
      const ms = await this.#on.budget.work(async () => {
        await this.#device.idle();
        return (await this.#timed?.timeMs(prepared, repeats)) ?? null;
      });
      if (ms === null) throw new UnsupportedError(`tune: expected the device to time ${name}, found that it cannot`);
      if (this.#on.activity() === before) return ms;
    }
    return null;
  }
}

function isSame(a: Problem, b: Problem): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What the default computes on the oracle. */
async function expectedOf(oracle: Device, problem: Problem): Promise<Bytes[]> {
  const bench = new ProblemBench(oracle, problem);
  try {
    return await bench.run(await bench.prepareDefault());
  } finally {
    bench.destroy();
  }
}

/** False where the problem does not offer the candidate. @throws InvariantError where it computes something else */
async function checkSmall(
  device: Device,
  problem: Problem,
  name: string,
  expected: readonly Bytes[],
): Promise<boolean> {
  const bench = new ProblemBench(device, problem);
  try {
    const prepared = await bench.prepare(name);
    if (prepared !== null) await check(bench, name, prepared, expected);
    return prepared !== null;
  } finally {
    bench.destroy();
  }
}

async function check(bench: ProblemBench, name: string, prepared: Prepared, expected: readonly Bytes[]): Promise<void> {
  const found = await bench.run(prepared);
  const { tolerance } = bench;
  for (const [i, { dtype, shape }] of bench.outputs.entries()) {
    const difference = firstDifference({ dtype, count: elementCount(shape), tolerance }, expected[i], found[i]);
    if (difference !== null) throw new InvariantError(`tune: ${name} computes something else, ${difference}`);
  }
}
