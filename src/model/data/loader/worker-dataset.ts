/** A dataset that lives in workers: batches are made there and moved here, in the order they were asked for. */
import { AbortedError, OptionError } from "../../../base/errors.ts";
import { systemClock } from "../../../base/clock.ts";
import type { Clock } from "../../../base/clock.ts";
import { withDeadline } from "../../../base/wait.ts";
import type { BatchDataset } from "../dataset/dataset.ts";
import { errorOf } from "./worker-messages.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";
import type { WorkerPort } from "./worker-port.ts";

/** Options of `openWorkerDataset`. */
export interface WorkerDatasetOptions {
  /** Starts a worker that calls `serveDataset`, and gives the line to it. */
  readonly open: () => WorkerPort;
  /** Workers, each with the dataset; 1 by default. */
  readonly workers?: number;
  /** For `make` in the worker: what can be cloned. */
  readonly options?: unknown;
  /** For each wait, in milliseconds; 60,000 by default. */
  readonly deadlineMs?: number;
  readonly clock?: Clock;
}

const DEADLINE_MS = 60_000;

/** Starts the workers and waits until they have the dataset. @throws what `make` throws there, DeadlineError, OptionError */
export async function openWorkerDataset<B>(options: WorkerDatasetOptions): Promise<WorkerDataset<B>> {
  const { open, workers = 1, deadlineMs = DEADLINE_MS, clock = systemClock } = options;
  if (!Number.isInteger(workers) || workers < 1) {
    throw new OptionError(`openWorkerDataset: expected at least one worker, found ${workers}`);
  }
  const lines = Array.from({ length: workers }, () => new WorkerLine(open(), { deadlineMs, clock }));
  try {
    const lengths = await Promise.all(lines.map((line) => line.start(options.options)));
    const length = lengths[0] ?? 0;
    if (lengths.some((other) => other !== length)) {
      throw new OptionError(`openWorkerDataset: expected one length in all workers, found ${lengths.join(", ")}`);
    }
    return new WorkerDataset<B>(lines, length);
  } catch (error) {
    for (const line of lines) line.close();
    throw error;
  }
}

/** See `openWorkerDataset`. Give it to a `DataLoader`, and close it at the end: workers outlive what uses them. */
export class WorkerDataset<B> implements BatchDataset<B> {
  readonly length: number;
  readonly #lines: readonly WorkerLine[];
  #next = 0;

  constructor(lines: readonly WorkerLine[], length: number) {
    this.#lines = lines;
    this.length = length;
  }

  /** Workers take turns. @throws the dataset's error; DeadlineError; OptionError once the worker has stopped */
  getBatch(indices: readonly number[], signal?: AbortSignal): Promise<B> {
    const line = this.#lines[this.#next++ % this.#lines.length] as WorkerLine;
    return line.load(indices, signal) as Promise<B>;
  }

  /** Ends the workers; batches under way fail. */
  close(): void {
    for (const line of this.#lines) line.close();
  }

  /** `close`, at the end of the block of a `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** One worker, and the answers awaited from it. */
export class WorkerLine {
  readonly #port: WorkerPort;
  readonly #wait: { readonly deadlineMs: number; readonly clock: Clock };
  readonly #waiting = new Map<number | null, Waiting>();
  #failed: Error | null = null;
  #nextId = 0;

  constructor(port: WorkerPort, wait: { readonly deadlineMs: number; readonly clock: Clock }) {
    this.#port = port;
    this.#wait = wait;
    port.listen(
      (message) => this.#take(message as FromWorker),
      (error) => this.#fail(stopped(error)),
    );
  }

  /** The dataset's length. */
  async start(options: unknown): Promise<number> {
    return (await this.#ask(null, { kind: "start", options })) as number;
  }

  load(indices: readonly number[], signal?: AbortSignal): Promise<unknown> {
    const id = this.#nextId++;
    return this.#ask(id, { kind: "load", id, indices }, signal);
  }

  close(): void {
    this.#fail(new AbortedError("DataLoader worker: closed"));
    this.#port.close();
  }

  async #ask(id: number | null, message: ToWorker, signal?: AbortSignal): Promise<unknown> {
    if (this.#failed !== null) throw this.#failed;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    const { clock, deadlineMs } = this.#wait;
    const what = id === null ? "DataLoader worker: start" : "DataLoader worker: batch";
    try {
      this.#port.post(message, []);
      return await withDeadline(what, answer, clock, { deadlineMs, signal });
    } finally {
      this.#waiting.delete(id);
    }
  }

  #take(message: FromWorker): void {
    const id = message.kind === "ready" ? null : message.id;
    const waiting = this.#waiting.get(id);
    if (message.kind === "failed") waiting?.reject(errorOf(message.code, message.message));
    else waiting?.resolve(message.kind === "ready" ? message.length : message.batch);
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failed);
    this.#waiting.clear();
  }
}

function stopped(error: unknown): OptionError {
  const message = error instanceof Error ? error.message : String(error);
  return new OptionError(`DataLoader worker: expected a batch, found that the worker stopped: ${message}`, {
    cause: error,
  });
}
