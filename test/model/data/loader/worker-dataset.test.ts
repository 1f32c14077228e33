import { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { AbortedError, CorruptDataError, DeadlineError, OptionError } from "../../../../src/base/errors.ts";
import { threadPort, threadScopePort } from "../../../../src/host/node/worker-ports.ts";
import type { HostTensor } from "../../../../src/model/data/host-tensor.ts";
import { DataLoader } from "../../../../src/model/data/loader/data-loader.ts";
import { serveDataset } from "../../../../src/model/data/loader/serve-dataset.ts";
import { openWorkerDataset } from "../../../../src/model/data/loader/worker-dataset.ts";
import type { WorkerDataset, WorkerDatasetOptions } from "../../../../src/model/data/loader/worker-dataset.ts";
import type { WorkerPort } from "../../../../src/model/data/loader/worker-port.ts";
import type { NumbersOptions } from "./numbers-worker.ts";

interface Batch {
  readonly x: HostTensor;
  readonly label: HostTensor;
}

const open: WorkerDataset<Batch>[] = [];

afterEach(() => {
  for (const dataset of open.splice(0)) dataset.close();
});

/** A real thread; its TypeScript goes through a loader of its own. */
function thread(): WorkerPort {
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const program = JSON.stringify(new URL("./numbers-worker.ts", import.meta.url).href);
  const code = `import(${loader}).then(({ register }) => { register(); return import(${program}); });`;
  return threadPort(new Worker(code, { eval: true }));
}

async function opened(
  options: NumbersOptions,
  more: Partial<WorkerDatasetOptions> = {},
): Promise<WorkerDataset<Batch>> {
  const dataset = await openWorkerDataset<Batch>({ open: thread, options, ...more });
  open.push(dataset);
  return dataset;
}

test("batches made in threads come in order, whole, and as without threads", { timeout: 30_000 }, async () => {
  const dataset = await opened({ length: 23 }, { workers: 2 });
  expect(dataset.length).toBe(23);
  const options = { batchSize: 4, shuffle: true, seed: 3, prefetch: 4 };
  const plain = new DataLoader<number, number[]>(
    { length: 23, get: (index) => index },
    { ...options, collate: (x) => x },
  );
  const expected: number[][] = [];
  for await (const indices of plain.hostBatches()) expected.push(indices);
  const found: number[][] = [];
  for await (const { x, label } of new DataLoader(dataset, options).hostBatches()) {
    found.push([...label.data]);
    expect(x.shape).toEqual([label.data.length, 2]);
    expect([...x.data]).toEqual([...label.data].flatMap((value) => [value, -value]));
  }
  expect(found).toEqual(expected);
});

test("an error in a thread names the example, and the thread goes on", { timeout: 30_000 }, async () => {
  const dataset = await opened({ length: 6, at: 3, fault: "throw" });
  const iterator = new DataLoader(dataset, { batchSize: 2 }).hostBatches();
  expect([...((await iterator.next()).value?.label.data ?? [])]).toEqual([0, 1]);
  const failing = iterator.next();
  await expect(failing).rejects.toThrow(CorruptDataError);
  await expect(failing).rejects.toThrow(/example 3 .*torn/);
  expect([...(await dataset.getBatch([5])).label.data]).toEqual([5]);
  await expect(opened({ length: 1, refuse: true })).rejects.toThrow(/no such data/);
  const odd = await opened({ length: 1, at: 0, fault: "function" });
  await expect(odd.getBatch([0])).rejects.toThrow(/found function/);
});

test.each(["exit", "crash"] as const)(
  "a thread that ends (%s) fails all that waits, in one sentence",
  { timeout: 30_000 },
  async (fault) => {
    const dataset = await opened({ length: 6, at: 3, fault });
    const waiting = [dataset.getBatch([3]), dataset.getBatch([3, 4])];
    for (const batch of waiting) await expect(batch).rejects.toThrow(OptionError);
    const message = fault === "exit" ? /worker stopped: it ended with code 3/ : /worker stopped: crashed/;
    await expect(dataset.getBatch([0])).rejects.toThrow(message);
  },
);

test(
  "a thread that hangs is a DeadlineError, a signal ends the wait, and so does closing",
  { timeout: 30_000 },
  async () => {
    const dataset = await opened({ length: 6, at: 3, fault: "hang" }, { deadlineMs: 15_000 });
    const end = new AbortController();
    const aborted = dataset.getBatch([3], end.signal);
    end.abort();
    await expect(aborted).rejects.toThrow(AbortedError);
    const waiting = dataset.getBatch([3]);
    dataset.close();
    await expect(waiting).rejects.toThrow(AbortedError);
    const hasty = await opened({ length: 6, at: 3, fault: "hang" }, { deadlineMs: 6_000 });
    await expect(hasty.getBatch([3])).rejects.toThrow(DeadlineError);
  },
);

/** Two ends in one thread, which clone and move as the platform does. */
function pair(): [WorkerPort, WorkerPort] {
  const { port1, port2 } = new MessageChannel();
  const portOf = (port: MessagePort): WorkerPort => ({
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    listen: (onMessage) => (port.onmessage = ({ data }: MessageEvent<unknown>) => onMessage(data)),
    close: () => port.close(),
  });
  return [portOf(port1), portOf(port2)];
}

test("buffers are moved; a view of a larger one is copied, and the rest stays where it was", async () => {
  const shared = Float32Array.of(1, 2, 3, 4);
  const whole: Float32Array[] = [];
  const [near, far] = pair();
  serveDataset(far, () => ({ length: 4, get: (index: number) => index }), {
    collate: ([index = 0]) => {
      const fresh = Float32Array.of(index);
      whole.push(fresh);
      return { fresh, part: shared.subarray(index, index + 1) };
    },
  });
  const dataset = await openWorkerDataset<{ fresh: Float32Array; part: Float32Array }>({ open: () => near });
  expect(await dataset.getBatch([2])).toEqual({ fresh: Float32Array.of(2), part: Float32Array.of(3) });
  expect(whole[0]?.length).toBe(0);
  expect(shared.length).toBe(4);
  dataset.close();
  far.close();
});

test("outside of a thread there is no line to its owner", () => {
  expect(() => threadScopePort()).toThrow(/found the main thread/);
});
