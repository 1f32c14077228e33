/**
 * Where an engine keeps its checkpoints: this browser's storage, in a worker of its own beside the engine's, so that
 * training waits for none of it; on the engine's thread in browsers whose workers cannot start others.
 */
import { proxy, wrap, type ProxyMarked, type Remote } from "comlink";
import { systemClock } from "../../base/clock.ts";
import { present } from "../../base/assert.ts";
import { UnsupportedError } from "../../base/errors.ts";
import { ChunkStore } from "../../training/checkpoint/chunk-store.ts";
import type { Chunks } from "../../training/checkpoint/chunks.ts";
import { RemoteChunks, coded, revived, serveChunks, type ChunkService } from "../chunk-worker.ts";
import { fastHash } from "../fast-hash.ts";
import { deviceId } from "./device-id.ts";
import { openStore } from "./open-store.ts";

const NAME = "hearth";

/** What is known of the storage once it is open. */
interface Opened {
  readonly kind: string;
  /** Why it is not IndexedDB; null where it is. */
  readonly reason: string | null;
  /** The name of this browser profile. */
  readonly device: string;
}

export interface Disk extends Opened {
  readonly chunks: Chunks;
}

/** What the worker does. */
export interface DiskService {
  open(id: string): Promise<Opened>;
  /** Once it is open. */
  chunks(): Promise<ChunkService & ProxyMarked>;
}

/** In the worker. */
export function serveDisk(): DiskService {
  let disk: Disk | null = null;
  return {
    open: async (id) => {
      const { chunks: _, ...opened } = (disk = await coded(openHere(id)));
      return opened;
    },
    chunks: async () => proxy(serveChunks(present(disk, "an open disk").chunks)),
  };
}

/** The disk of the tab that `id` names. @throws QuotaError where this browser lets pages store nothing */
export async function openDisk(id: string): Promise<Disk> {
  if (typeof Worker === "undefined") return openHere(id);
  const worker = new Worker(new URL("./disk-worker.ts", import.meta.url), { type: "module", name: "hearth disk" });
  const remote = wrap<DiskService>(worker);
  const opened = await failing(worker, revived(remote.open(id)));
  const chunks = new RemoteChunks((await remote.chunks()) as unknown as Remote<ChunkService>, systemClock);
  return { ...opened, chunks };
}

async function openHere(id: string): Promise<Disk> {
  const { store, reason } = await openStore(NAME, systemClock);
  const chunks = new ChunkStore({ store, clock: systemClock, id, hash: fastHash });
  return { kind: store.kind, reason, device: await deviceId(store), chunks };
}

/** `answer`, or what kept the worker from starting. */
function failing<T>(worker: Worker, answer: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onError = ({ message }: ErrorEvent): void =>
      reject(new UnsupportedError(`The worker that keeps checkpoints could not be started: ${message}`));
    worker.addEventListener("error", onError);
    answer.then(resolve, reject).finally(() => worker.removeEventListener("error", onError));
  });
}
