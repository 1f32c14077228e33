/** The worker's side of a dataset: gets examples, collates them, and moves the batches to whoever asked. */
import type { Dataset } from "../dataset/dataset.ts";
import { examplesAt } from "./batch-source.ts";
import { collate as collateExamples } from "./collate.ts";
import { failure } from "./worker-messages.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";
import type { WorkerPort } from "./worker-port.ts";

/** Options of `serveDataset`. */
export interface ServeDatasetOptions<T> {
  /** Examples into a batch; `collate` by default. Arrays that fill their buffer are moved away: they must be fresh. */
  readonly collate?: (examples: T[]) => unknown;
}

/**
 * Answers `openWorkerDataset` on the other end of `port`. `make` gets the options given there; it is called once.
 *
 * ```ts
 * data.serveDataset(data.workerScopePort(), async ({ url }: { url: string }) => new Photos(url));
 * ```
 */
export function serveDataset<T, Options>(
  port: WorkerPort,
  make: (options: Options) => Dataset<T> | Promise<Dataset<T>>,
  { collate = collateExamples }: ServeDatasetOptions<T> = {},
): void {
  let dataset: Promise<Dataset<T>> | null = null;
  const send = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.post(message, transfer);
  const start = async (options: unknown): Promise<void> => {
    dataset = Promise.resolve(options as Options).then(make);
    send({ kind: "ready", length: (await dataset).length });
  };
  const load = async (id: number, indices: readonly number[]): Promise<void> => {
    if (dataset === null) return;
    const batch = collate(await examplesAt(await dataset, indices));
    const transfer = new Set<ArrayBuffer>();
    send({ kind: "batch", id, batch: movable(batch, transfer) }, [...transfer]);
  };
  const onMessage = (message: unknown): void => {
    const asked = message as ToWorker;
    const id = asked.kind === "load" ? asked.id : null;
    const answered = asked.kind === "load" ? load(asked.id, asked.indices) : start(asked.options);
    answered.catch((error: unknown) => send(failure(id, error)));
  };
  port.listen(onMessage, () => {});
}

/** `value` with its buffers in `transfer`. A view of part of a buffer is copied: the rest belongs to somebody else. */
function movable(value: unknown, transfer: Set<ArrayBuffer>): unknown {
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === value.byteLength;
    if (!isWhole) return copied(value);
    transfer.add(buffer);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => movable(item, transfer));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, movable(inner, transfer)]));
}

/** Only its own part of the buffer, where the view is a typed array. */
function copied(view: ArrayBufferView): ArrayBufferView {
  return "slice" in view ? (view as Uint8Array).slice() : view;
}
