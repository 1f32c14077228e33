/** One member of the all-reduce benchmark: a thread with a port to each of the others, and a bare one beside it. */
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort as NodeMessagePort } from "node:worker_threads";
import { assert, present } from "../src/base/assert.ts";
import { systemClock } from "../src/base/clock.ts";
import type { AlgorithmName } from "../src/network/collectives/algorithms.ts";
import { Group } from "../src/network/collectives/group.ts";
import { Mux } from "../src/network/mux.ts";
import { MessagePortTransport } from "../src/network/transport/message-port/message-port-transport.ts";
import { medianMs } from "./measure.ts";

export interface AllReduceRequest {
  readonly self: string;
  readonly members: readonly string[];
  readonly floats: number;
  readonly algorithm: AlgorithmName | undefined;
  readonly ports: ReadonlyMap<string, NodeMessagePort>;
  /** Ports that nothing of ours uses. */
  readonly raw: ReadonlyMap<string, NodeMessagePort>;
}

export interface AllReduceResult {
  /** Median of the measured ones. */
  readonly ms: number;
  /** As many bytes as the buffer has to the next member over a bare port, while all others do the same. */
  readonly rawMs: number;
  /** Of a small message over a bare port. */
  readonly roundTripMs: number;
}

const DEADLINE_MS = 60_000;
const RAW_FRAME_BYTES = 64 * 1024;
const PINGS = 50;

async function run({ self, members, floats, algorithm, ports, raw }: AllReduceRequest): Promise<AllReduceResult> {
  const group = await openGroup(self, members, ports);
  const { rank } = group;
  const values = new Float32Array(floats).fill(rank + 1);
  const expected = (members.length * (members.length + 1)) / 2;
  let operation = 0;
  const next = (category: "gradients" | "control") => ({
    operation: ++operation,
    category,
    deadlineMs: DEADLINE_MS,
    algorithm,
  });
  const ms = await medianMs(async () => {
    const sum = await group.allReduce(values, next("gradients"));
    assert(
      sum[0] === expected && sum[floats - 1] === expected,
      `bench all-reduce: expected ${expected}, found ${sum[0]}`,
    );
  });
  const wire = new RawRing(self, members, raw);
  await group.barrier(next("control"));
  const roundTripMs = await wire.roundTripMs();
  const rawMs = await medianMs(async () => {
    await group.barrier(next("control"));
    await wire.pass(4 * floats);
  });
  await group.barrier(next("control"));
  return { ms, rawMs, roundTripMs };
}

async function openGroup(
  self: string,
  members: readonly string[],
  ports: ReadonlyMap<string, NodeMessagePort>,
): Promise<Group> {
  // Node's ports do all that the DOM's do.
  const portTo = (peer: string) => present(ports.get(peer), `a port to ${peer}`) as unknown as MessagePort;
  const transport = new MessagePortTransport(self, systemClock, async (peer) => portTo(peer));
  const mux = new Mux({ transport });
  const rank = members.indexOf(self);
  // The lower rank connects, the higher one accepts the other end.
  for (const [other, peer] of members.entries()) if (other < rank) transport.acceptPort(peer, portTo(peer));
  const higher = members.filter((_, other) => other > rank);
  await Promise.all(higher.map((peer) => mux.connect(peer, { deadlineMs: DEADLINE_MS })));
  while (!members.every((peer) => peer === self || mux.isLinked(peer)))
    await new Promise((resolve) => setTimeout(resolve, 5));
  return new Group({ mux, members, fence: { incarnation: 1, epoch: 1 }, clock: systemClock });
}

/** The same ring without anything of ours: transferred buffers, one after another. */
class RawRing {
  readonly #next: NodeMessagePort;
  #waiting: { bytes: number; readonly resolve: () => void } | null = null;
  #early = 0;
  #onPong: () => void = () => {};

  constructor(self: string, members: readonly string[], raw: ReadonlyMap<string, NodeMessagePort>) {
    const at = members.indexOf(self);
    const neighbour = (step: number): string => members[(at + step + members.length) % members.length] ?? "";
    this.#next = present(raw.get(neighbour(1)), "a bare port");
    const before = present(raw.get(neighbour(-1)), "a bare port");
    before.on("message", (data: ArrayBuffer | "ping") => {
      if (data === "ping") return before.postMessage("pong");
      this.#arrived(data.byteLength);
    });
    this.#next.on("message", () => this.#onPong());
  }

  async roundTripMs(): Promise<number> {
    const startMs = performance.now();
    for (let ping = 0; ping < PINGS; ping++) {
      await new Promise<void>((resolve) => {
        this.#onPong = resolve;
        this.#next.postMessage("ping");
      });
    }
    return (performance.now() - startMs) / PINGS;
  }

  /** Sends so many bytes to the next member, and resolves when as many came from the one before. */
  async pass(bytes: number): Promise<void> {
    const arrived = new Promise<void>((resolve) => (this.#waiting = { bytes, resolve }));
    this.#arrived(0);
    for (let at = 0; at < bytes; at += RAW_FRAME_BYTES) {
      const frame = new Uint8Array(Math.min(RAW_FRAME_BYTES, bytes - at)).fill(at & 0xff);
      this.#next.postMessage(frame.buffer, [frame.buffer]);
    }
    await arrived;
  }

  #arrived(bytes: number): void {
    this.#early += bytes;
    const waiting = this.#waiting;
    if (waiting === null || this.#early < waiting.bytes) return;
    this.#early -= waiting.bytes;
    this.#waiting = null;
    waiting.resolve();
  }
}

parentPort?.postMessage(await run(workerData as AllReduceRequest));
