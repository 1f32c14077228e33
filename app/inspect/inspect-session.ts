/** One inspection, from choosing a model to leaving: a Lit controller around the worker that compiles and measures. */
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { proxy, wrap } from "comlink";
import type { Remote } from "comlink";
import type { DeviceChoice } from "hearth/browser";
import type { InspectApi, Inspection } from "./inspect-api.ts";

/** Of the button; the first profile is one run, so that there is something to see soon. */
const RUNS = 5;

/** What the page shows of a step. Plain values: whoever renders reads them anew. */
export class InspectSession implements ReactiveController {
  /** Null until the step is compiled. */
  inspection: Inspection | null = null;
  /** Milliseconds of each kernel; null before the first profile. */
  kernelMs: readonly (number | null)[] | null = null;
  /** What takes the time at the moment; null when nothing does. */
  doing: string | null = null;
  /** Why there is nothing to see, or nothing new, in one sentence. */
  problem: string | null = null;

  readonly #host: ReactiveControllerHost;
  #worker: Worker | null = null;
  #api: Remote<InspectApi> | null = null;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#end();
  }

  /** Compiles `model`'s step on a fresh device, measures it once, and forgets the one before. */
  async open(model: string, device: DeviceChoice): Promise<void> {
    this.#end();
    this.inspection = this.kernelMs = null;
    if (typeof Worker === "undefined") return this.#say("This browser has no web workers, which hearth computes in.");
    const worker = new Worker(new URL("./inspect-worker.ts", import.meta.url), {
      type: "module",
      name: "hearth inspect",
    });
    this.#worker = worker;
    worker.onerror = (event) => this.#failed(worker, event.message || "The worker could not be loaded.");
    this.#api = wrap<InspectApi>(worker);
    await this.#during(worker, "Starting", async (api) => {
      const inspection = await api.open(model, device, proxy((what: string) => this.#note(worker, what))); // prettier-ignore
      if (worker !== this.#worker) return;
      this.inspection = inspection;
    });
    if (this.inspection !== null && worker === this.#worker) await this.profile(1);
  }

  /** Measures every kernel: the middle of so many runs. */
  async profile(runs: number = RUNS): Promise<void> {
    const worker = this.#worker;
    if (worker === null || this.doing !== null) return;
    const what = runs === 1 ? "Measuring a run" : `Measuring ${runs} runs`;
    await this.#during(worker, what, async (api) => {
      const kernelMs = await api.profile(runs);
      if (worker === this.#worker) this.kernelMs = kernelMs;
    });
  }

  /** The step as text or as JSON; null when that failed, with `problem` saying why. */
  async exported(as: "text" | "sources" | "json"): Promise<string | null> {
    if (this.#api === null) return null;
    try {
      return await (as === "json" ? this.#api.json() : this.#api.text(as === "sources"));
    } catch (error) {
      this.#say(sentenceOf(error));
      return null;
    }
  }

  /** Runs `act`, saying meanwhile what is done; a failure becomes the sentence that people see. */
  async #during(worker: Worker, what: string, act: (api: Remote<InspectApi>) => Promise<void>): Promise<void> {
    const api = this.#api;
    if (api === null) return;
    this.problem = null;
    this.#note(worker, what);
    try {
      await act(api);
      this.#note(worker, null);
    } catch (error) {
      this.#failed(worker, sentenceOf(error));
    }
  }

  #note(worker: Worker, what: string | null): void {
    if (worker !== this.#worker) return;
    this.doing = what;
    this.#host.requestUpdate();
  }

  #failed(worker: Worker, problem: string): void {
    if (worker !== this.#worker) return;
    this.#end();
    this.#say(problem);
  }

  #say(problem: string): void {
    this.problem = problem;
    this.#host.requestUpdate();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = this.#api = null;
    this.doing = null;
  }
}

/** The message that hearth's errors carry; they are written for people. */
function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
