/** The program of a thread that keeps checkpoints in a folder, as a browser's disk worker keeps them in its storage. */
import { workerData } from "node:worker_threads";
import { expose } from "comlink";
import { systemClock } from "../src/base/clock.ts";
import { serveChunks } from "../src/host/chunk-worker.ts";
import { fastHash } from "../src/host/fast-hash.ts";
import { FileSystemStore } from "../src/storage/file-system/file-system-store.ts";
import { ChunkStore } from "../src/training/checkpoint/chunk-store.ts";

const { folder, port } = workerData as { readonly folder: string; readonly port: MessagePort };
const store = new FileSystemStore(folder);
expose(serveChunks(new ChunkStore({ store, clock: systemClock, id: "thread", hash: fastHash })), port);
