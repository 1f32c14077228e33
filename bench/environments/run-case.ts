/**
 * One case by several libraries in one thread: first each by itself, to compile, compare and count; then all in turns, a
 * sample at a time, so that whatever else this machine does hits all alike. A library that throws is out, the others go on.
 */
import type { Runtime } from "hearth";
import { systemClock } from "../../src/base/clock.ts";
import { describeError, DeviceLostError, OptionError } from "../../src/base/errors.ts";
import { agreementOf, worstDifference } from "../agreement.ts";
import { DEVICE_CASES } from "../cases/device-cases.ts";
import type { Program } from "../cases/problem.ts";
import { areEnough, elapsedMs, median, planSteps } from "../measure.ts";
import type { Library } from "../libraries/library.ts";
import type { Backend } from "../options.ts";
import { openLibrary } from "../libraries/open-library.ts";
import { failure } from "./case-report.ts";
import type { CaseReport, CaseRequest, LibraryReport, Stage } from "./case-report.ts";
import { countCommands } from "./counting.ts";

/** A step that takes longer is counted once only. */
const LONG_MS = 500;

interface Entrant {
  readonly library: string;
  readonly program: Program;
  readonly results: readonly Float32Array[];
  /** Of a sample. */
  readonly steps: number;
  readonly notes: readonly string[];
  readonly samplesMs: number[];
}

export class CaseRunner {
  readonly #backend: Backend;
  readonly #runtime: Runtime;
  readonly #onStage: (stage: Stage) => void;
  readonly #libraries = new Map<string, Promise<Library>>();
  readonly #lost = new Set<string>();

  constructor(backend: Backend, runtime: Runtime, onStage: (stage: Stage) => void) {
    this.#backend = backend;
    this.#runtime = runtime;
    this.#onStage = onStage;
  }

  /** What libraries throw is in the report, where those that failed come first, in the order in which they did. */
  async run({ name, index, libraries }: CaseRequest): Promise<CaseReport> {
    const reports: Record<string, LibraryReport> = {};
    const entrants: Entrant[] = [];
    const attempt = async (library: string, doing: string, work: () => Promise<void>): Promise<void> => {
      if (reports[library]) return;
      this.#onStage({ library, doing });
      try {
        await work();
        if (this.#lost.has(library)) throw new DeviceLostError(`${library}: its device is gone`);
      } catch (error) {
        reports[library] = failure(`${doing}: ${describeError(error)}`);
      }
    };
    for (const library of libraries) {
      await attempt(library, "first steps", async () => {
        entrants.push(await this.#enter(library, { name, index, libraries }, entrants[0]));
      });
    }
    for (let running = entrants; running.length > 0;) {
      for (const entrant of running) await attempt(entrant.library, "timing", () => sample(entrant));
      running = running.filter(({ library, samplesMs }) => !reports[library] && !areEnough(samplesMs));
    }
    for (const entrant of entrants) {
      reports[entrant.library] ??= reportOf(entrant);
      this.#onStage({ library: entrant.library, doing: "end" });
      try {
        entrant.program.dispose();
      } catch (error) {
        console.warn(`${entrant.library}: ${describeError(error)}`);
      }
    }
    return reports;
  }

  async #enter(library: string, { name, index }: CaseRequest, first: Entrant | undefined): Promise<Entrant> {
    const benchCase = DEVICE_CASES.get(name)?.[index];
    if (!benchCase) throw new OptionError(`bench: expected a case of ${name}, found number ${index}`);
    const { programs } = await this.#open(library);
    const openedMs = systemClock.nowMs();
    const program = await benchCase.prepare(programs);
    const results = await program.results();
    const readySeconds = (systemClock.nowMs() - openedMs) / 1000;
    const { stepMs, note } = await firstTiming(program);
    const notes = [...program.notes(), note, `first results after ${readySeconds.toPrecision(2)} s`];
    if (first) notes.push(`${agreementOf(worstDifference(first.results, results))} with ${first.library}`);
    return { library, program, results, steps: planSteps(stepMs), notes, samplesMs: [] };
  }

  #open(name: string): Promise<Library> {
    const known = this.#libraries.get(name);
    if (known) return known;
    const opened = openLibrary(name, this.#backend, this.#runtime).then((library) => {
      void library.lost.then(() => this.#lost.add(name));
      return library;
    });
    this.#libraries.set(name, opened);
    return opened;
  }
}

async function run(program: Program, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await program.step();
  await program.wait();
}

async function sample({ program, steps, samplesMs }: Entrant): Promise<void> {
  samplesMs.push(await elapsedMs(() => run(program, steps)));
}

/** What a step takes, roughly, and which commands it is made of. */
async function firstTiming(program: Program): Promise<{ stepMs: number; note: string }> {
  const once = await countedRun(program, 1);
  return once.stepMs > LONG_MS ? once : countedRun(program, 4);
}

async function countedRun(program: Program, steps: number): Promise<{ stepMs: number; note: string }> {
  let ms = 0;
  if (!("GPUQueue" in globalThis)) {
    ms = await elapsedMs(() => run(program, steps));
    return { stepMs: ms / steps, note: "one thread" };
  }
  const { dispatches, submits } = await countCommands(async () => {
    ms = await elapsedMs(() => run(program, steps));
  });
  const counted = steps === 1 ? "a step and a wait" : `${steps} steps and a wait`;
  return { stepMs: ms / steps, note: `dispatches a step: ${dispatches / steps}, submits in ${counted}: ${submits}` };
}

function reportOf({ steps, notes, samplesMs }: Entrant): LibraryReport {
  return { ms: median(samplesMs) / steps, samples: samplesMs.length, steps, notes, error: null };
}
