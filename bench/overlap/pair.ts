/** Two members on threads of their own over a shaped link: what the overlap benchmark times, and `npm run trace` shows. */
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { openThread } from "../all-reduce/threads.ts";
import type { GptRunOptions } from "../gpt-run.ts";
import type { FromMember, OverlapRequest, StepMeasured, StepRequest } from "./member.ts";
import { shapedLink, type ShapedLink } from "./shaped-port.ts";

const DEADLINE_MS = 120_000;
/** One slot a member: of several, only the last one's backward pass has gradients to send beside it. */
const RUN: GptRunOptions = { globalBatch: 16, slots: 2, width: 128, layers: 4 };
const WARM_UP_STEPS = 3;

/** Two members in the same state, ready for a step. */
export class Pair {
  readonly parameters: number;
  readonly #workers: readonly Worker[];
  readonly #link: ShapedLink;

  /** Opened and warm. @throws DeadlineError, and what a thread fails with */
  static async open(run: GptRunOptions = RUN): Promise<Pair> {
    const link = shapedLink();
    const workers = link.ends.map((port, rank) => {
      const request: OverlapRequest = { rank, port, run };
      return openThread(new URL("./member.ts", import.meta.url), request, [port]);
    });
    const [first] = await answers(workers);
    const pair = new Pair(workers, link, (first as { parameters: number }).parameters);
    for (let step = 0; step < WARM_UP_STEPS; step++) await pair.step({ overlaps: true }, Infinity);
    return pair;
  }

  private constructor(workers: readonly Worker[], link: ShapedLink, parameters: number) {
    this.#workers = workers;
    this.#link = link;
    this.parameters = parameters;
  }

  /** Of both members, by rank. */
  async step(request: StepRequest, bytesPerMs: number): Promise<StepMeasured[]> {
    this.#link.bytesPerMs = bytesPerMs;
    const answered = answers(this.#workers);
    for (const worker of this.#workers) worker.postMessage(request);
    return (await answered).map((answer) => answer as StepMeasured);
  }

  /**
   * A bandwidth at which the link carries `halves` of the parameters' bytes each way in so many milliseconds. A member of
   * two sends one half as gradients, one as parameters.
   */
  bandwidthFor(halves: number, ms: number): number {
    return (halves * 2 * this.parameters) / ms;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
    this.#link.close();
  }
}

/** When the slower one's slot was done, in milliseconds since both began. */
export function computedMsOf(members: readonly StepMeasured[]): number {
  return Math.max(...members.map(({ computedMs }) => computedMs));
}

/** Mean over members. */
export function hiddenShareOf(members: readonly StepMeasured[]): number {
  return members.reduce((sum, member) => sum + member.hiddenShare, 0) / members.length;
}

/** @throws DeadlineError, and what a thread fails with */
async function answers(workers: readonly Worker[]): Promise<FromMember[]> {
  const all = Promise.all(workers.map(async (worker) => present(((await once(worker, "message")) as FromMember[])[0], "an answer"))); // prettier-ignore
  return await withDeadline("bench overlap", all, systemClock, { deadlineMs: DEADLINE_MS });
}
