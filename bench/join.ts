/**
 * How fast a newcomer gets a state from others: the blob exchange of real members on a simulated network, in virtual time,
 * where each link carries 20 Mbit/s. From one donor and from four.
 */
import { Random } from "../src/base/random.ts";
import type { Bytes } from "../src/base/bytes.ts";
import { hashBytes, type Hash } from "../src/base/hash.ts";
import { BlobExchange } from "../src/network/blob-exchange.ts";
import { Mux } from "../src/network/mux.ts";
import { SimulatedNetwork } from "../src/network/transport/simulated/simulated-network.ts";
import { VirtualClock } from "../src/network/transport/simulated/virtual-clock.ts";
import { SHARDS } from "../src/network/wire/state-record.ts";
import type { Measured } from "./result.ts";

const SHARD_BYTES = 64 * 1024;
const BYTES_PER_MS = 2_500;
const DEADLINE_MS = 600_000;

export interface JoinMeasured {
  readonly ms: number;
  /** Bytes that each donor sent. */
  readonly sent: readonly number[];
}

/** Virtual time until a newcomer has all shards, and who gave them. */
export async function measureJoin(donors: number): Promise<JoinMeasured> {
  const clock = new VirtualClock(() => new Promise((resolve) => setImmediate(resolve)));
  const random = new Random(1, "join", donors);
  const network = new SimulatedNetwork({ clock, random, latencyMs: 20, bytesPerMs: BYTES_PER_MS });
  const stock = shards();
  const names = Array.from({ length: donors }, (_, at) => `donor-${at}`);
  const muxes = names.map((name) => new Mux({ transport: network.join(name) }));
  muxes.forEach((mux, at) => {
    new BlobExchange({ mux, clock: network.clockOf(names[at] ?? "") }).serve(async (hash) => stock.get(hash));
  });
  const mux = new Mux({ transport: network.join("newcomer") });
  const exchange = new BlobExchange({ mux, clock: network.clockOf("newcomer") });
  const wanted = [...stock.keys()].map((hash) => ({ hash, sources: names }));
  const startMs = clock.nowMs();
  await clock.run(exchange.fetchAll(wanted, { deadlineMs: DEADLINE_MS, category: "join" }));
  return { ms: clock.nowMs() - startMs, sent: muxes.map((donor) => donor.bytesSent().join) };
}

export async function join(): Promise<Measured[]> {
  const one = await measureJoin(1);
  const four = await measureJoin(4);
  const total = four.sent.reduce((sum, bytes) => sum + bytes, 0);
  const most = Math.max(...four.sent) / (total / 4);
  return [
    {
      case: `${(SHARDS * SHARD_BYTES) / 2 ** 20} MiB from four donors and from one`,
      unit: "times as fast",
      better: "higher",
      ours: one.ms / four.ms,
      notes: `simulated: ${one.ms.toFixed(0)} ms and ${four.ms.toFixed(0)} ms; the busiest donor gave ${most.toFixed(2)} times its share`,
    },
  ];
}

function shards(): Map<Hash, Bytes> {
  const stock = new Map<Hash, Bytes>();
  for (let shard = 0; shard < SHARDS; shard++) {
    const bytes = new Uint8Array(SHARD_BYTES).fill(shard);
    stock.set(hashBytes(bytes), bytes);
  }
  return stock;
}
