/**
 * What a checkpoint costs training: one tab trains char-gpt on the CPU, and every fifth step (`checkpointEvery` of rooms)
 * is followed by what a member does at a checkpoint, in the background: parameters read back from the device and hashed,
 * all state written to disk.
 *
 * Two measures, each with the disk on the training thread and in a worker of its own, as rooms have it:
 * - *stall*: wall time of five steps with a checkpoint begun before the first, minus that of five without, in percent of
 *   a step. Windows without, with, and with a worker take turns in one run; the medians are subtracted, so that it may
 *   come out below 0. A busy machine makes it noise.
 * - *the training thread's own time*: processor time of that thread for a checkpoint while nothing else runs, in percent
 *   of its processor time for a step, both means of the same run; places of the disk take turns, and so does reading the
 *   parameters back alone, which is a part of it. Other threads and programs are not in it; what they
 *   take away from training by caches and cores is in the stall alone.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker, type MessagePort as NodePort } from "node:worker_threads";
import { wrap } from "comlink";
import { bytesOf } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { hashText } from "../src/base/hash.ts";
import { openWasmDevice } from "../src/compute/device/wasm/open-wasm-device.ts";
import { RemoteChunks, type ChunkService } from "../src/host/chunk-worker.ts";
import { fastHash } from "../src/host/fast-hash.ts";
import { wasmThreads } from "../src/host/node/wasm-threads.ts";
import { SHARDS } from "../src/network/wire/state-record.ts";
import type { Store } from "../src/storage/store.ts";
import { ChunkStore } from "../src/training/checkpoint/chunk-store.ts";
import type { Chunks } from "../src/training/checkpoint/chunks.ts";
import { Trainer } from "../src/training/parallel/data/trainer.ts";
import { shardRange } from "../src/training/parallel/shards.ts";
import { genesisVersion, makeVersion, parameterShard, type Version } from "../src/training/recovery/replica.ts";
import { gptRun } from "./gpt-run.ts";
import { elapsedMs, median } from "./measure.ts";
import type { Measured } from "./result.ts";
import { threadCpuMs } from "./thread-cpu.ts";

const STEPS = 5;
const ROUNDS = 5;
/** Checkpoints alone: many, since processor time is told in ticks of some milliseconds. */
const ALONE = 40;

const DEFINITION = gptRun({ globalBatch: 16, slots: 8, width: 128, layers: 2 });

/** Where the disk is, and what was measured with it. */
interface Arm {
  readonly place: string;
  readonly chunks: Chunks;
  readonly windowsMs: number[];
  savingMs: number;
}

/** Both measures for both places of the disk. */
export async function checkpointStall(store: Store): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-stall-"));
  const thread = openThread(folder);
  const trainer = await Trainer.create({
    definition: DEFINITION,
    device: await openWasmDevice(wasmThreads()),
    bytes: null,
    spec: { seed: 1, settings: {} },
    clock: systemClock,
  });
  try {
    const here = new ChunkStore({ store, clock: systemClock, id: "stall", hash: fastHash });
    const arms: Arm[] = [
      { place: "disk on its thread", chunks: here, windowsMs: [], savingMs: 0 },
      { place: "disk in a worker", chunks: thread.chunks, windowsMs: [], savingMs: 0 },
    ];
    const { plainMs, stepCpuMs, version } = await inTurns(trainer, arms);
    const stepMs = median(plainMs) / STEPS;
    const mebibytes = ((trainer.parameterCount * 4 * (1 + trainer.stateFloats)) / 2 ** 20).toFixed(1);
    const cpuMs = await cpuAlone(trainer, arms, version);
    const digestCpuMs = cpuMs.at(-1) ?? Number.NaN;
    return arms.flatMap((arm, at) => {
      const checkpointCpuMs = cpuMs[at] ?? Number.NaN;
      return report(arm, { stepMs, stepCpuMs, plainMs, checkpointCpuMs, digestCpuMs, mebibytes });
    });
  } finally {
    trainer.destroy();
    await thread.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function openThread(folder: string): { readonly chunks: Chunks; close(): Promise<void> } {
  const { port1, port2 } = new MessageChannel();
  const program = JSON.stringify(new URL("./disk-thread.ts", import.meta.url).href);
  const loader = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  // TypeScript needs its loader inside of the thread.
  const code = `import(${loader}).then(({ register }) => { register(); return import(${program}); });`;
  const transferList = [port2 as unknown as NodePort];
  const worker = new Worker(code, { eval: true, workerData: { folder, port: port2 }, transferList });
  return {
    chunks: new RemoteChunks(wrap<ChunkService>(port1), systemClock),
    close: async () => {
      port1.close();
      await worker.terminate();
    },
  };
}

/** Windows of five steps: without a checkpoint, then with one for each arm, and again. */
async function inTurns(
  trainer: Trainer,
  arms: readonly Arm[],
): Promise<{ readonly plainMs: number[]; readonly stepCpuMs: number; readonly version: Version }> {
  let version = genesisVersion(trainer.initialParameters(), trainer.stateFloats);
  const train = async (): Promise<void> => {
    for (let step = 0; step < STEPS; step++) version = await stepOf(trainer, version);
  };
  await train();
  for (const { chunks } of arms) await saveAll(trainer, chunks, version);
  const plainMs: number[] = [];
  let cpuMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = threadCpuMs();
    plainMs.push(await elapsedMs(train));
    cpuMs += threadCpuMs() - before;
    for (const arm of arms) {
      const saving = elapsedMs(() => saveAll(trainer, arm.chunks, version));
      arm.windowsMs.push(await elapsedMs(train));
      arm.savingMs += (await saving) / ROUNDS;
    }
  }
  return { plainMs, stepCpuMs: cpuMs / ROUNDS / STEPS, version };
}

/** Processor time of this thread for one checkpoint, by arm and without any disk; in turns, nothing else running. */
async function cpuAlone(trainer: Trainer, arms: readonly Arm[], from: Version): Promise<readonly number[]> {
  const works = [
    ...arms.map(
      ({ chunks }) =>
        (version: Version) =>
          saveAll(trainer, chunks, version),
    ),
    digestOf(trainer),
  ];
  const cpuMs = works.map(() => 0);
  let version = from;
  for (let round = 0; round < ALONE; round++) {
    for (const [at, work] of works.entries()) {
      // Content that is on the disk already would not be written again.
      version = makeVersion(
        version.step + 1,
        version.parameters.map((value) => value + 1e-3),
        version.optimizer,
      );
      const before = threadCpuMs();
      await work(version);
      cpuMs[at] = (cpuMs[at] ?? 0) + (threadCpuMs() - before) / ALONE;
    }
  }
  return cpuMs;
}

interface Found {
  readonly stepMs: number;
  readonly stepCpuMs: number;
  readonly plainMs: readonly number[];
  readonly checkpointCpuMs: number;
  /** Of that, what reading the parameters back and hashing them takes. */
  readonly digestCpuMs: number;
  readonly mebibytes: string;
}

function report({ place, windowsMs, savingMs }: Arm, found: Found): Measured[] {
  const { stepMs, stepCpuMs, plainMs, checkpointCpuMs, digestCpuMs, mebibytes } = found;
  const list = (ms: readonly number[]): string => ms.map((one) => one.toFixed(0)).join(", ");
  const line = { unit: "% of a step", better: "lower" } as const;
  return [
    {
      ...line,
      case: `stall of training, ${mebibytes} MiB of state, ${place}`,
      ours: (100 * (median(windowsMs) - median(plainMs))) / stepMs,
      notes: `char-gpt of width 128 on the CPU, two threads; five steps with a checkpoint ${list(windowsMs)} ms, without ${list(plainMs)} ms, the writing ${savingMs.toFixed(0)} ms beside them`,
    },
    {
      ...line,
      case: `the training thread's own time, ${mebibytes} MiB of state, ${place}`,
      ours: (100 * checkpointCpuMs) / stepCpuMs,
      notes: `processor time of the thread: ${checkpointCpuMs.toFixed(1)} ms a checkpoint, of which reading the parameters back ${digestCpuMs.toFixed(1)} ms; ${stepCpuMs.toFixed(0)} ms a step; means of ${ALONE} and ${ROUNDS * STEPS}`,
    },
  ];
}

/** All slots of a step, the update of all parameters, and the hashes of what came out. */
async function stepOf(trainer: Trainer, before: Version): Promise<Version> {
  const step = before.step + 1;
  const gradient = new Float32Array(trainer.parameterCount);
  for (let slot = 0; slot < trainer.slots; slot++) {
    const result = await trainer.slot(before.parameters, step, slot);
    for (let i = 0; i < gradient.length; i++) {
      gradient[i] = (gradient[i] as number) + (result.gradient[i] as number) / trainer.slots;
    }
  }
  const state = new Float32Array(trainer.parameterCount * trainer.stateFloats);
  const { parameters, state: moments } = await trainer.update({ step, parameters: before.parameters, gradient, state });
  const optimizer = new Map<number, { bytes: Uint8Array<ArrayBuffer>; hash: string }>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const [from, to] = shardRange(trainer.parameterCount, shard);
    const part = bytesOf(moments.slice(from * trainer.stateFloats, to * trainer.stateFloats));
    optimizer.set(shard, { bytes: part, hash: await fastHash(part) });
  }
  return makeVersion(step, parameters, optimizer);
}

/** What a member's device holds, read and hashed: at every checkpoint, whatever becomes of the disk. */
function digestOf(trainer: Trainer): (version: Version) => Promise<void> {
  return async ({ parameters }) => void (await fastHash(await trainer.readBack(parameters)));
}

async function saveAll(trainer: Trainer, chunks: Chunks, version: Version): Promise<void> {
  const digest = digestOf(trainer)(version);
  const shards = [...version.optimizer].map(([shard, { bytes, hash }]) => ({
    shard,
    parameter: parameterShard(version.parameters, shard),
    parameterHash: version.parameterHashes[shard] ?? "",
    optimizer: bytes,
    optimizerHash: hash,
  }));
  const { step } = version;
  const chain = hashText(`stall ${step}`);
  await Promise.all([digest, chunks.writeGeneration({ run: "stall", step, chain, shards, writer: "stall" })]);
}
