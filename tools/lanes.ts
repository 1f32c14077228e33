/**
 * `npm run lanes`: what 1, 2 and 4 peer connections between two tabs carry, undelayed and through the proxy, in one run.
 * Medians of five; prints a table.
 */
import { randomBytes } from "node:crypto";
import { systemClock } from "../src/base/clock.ts";
import { describeError, HearthError } from "../src/base/errors.ts";
import { Random } from "../src/base/random.ts";
import { iceServersFor } from "../signaling-server/relay/tickets.ts";
import { parseTreatment } from "./impair/impairment.ts";
import { medianBurstMs, type LaneResult, withLanes } from "./impair/lanes.ts";
import { TurnServer } from "./impair/turn-server.ts";
import { UdpProxy } from "./impair/udp-proxy.ts";

const TREATMENTS =
  process.argv.length > 2 ? process.argv.slice(2) : ["none", "delay=20", "delay=100", "delay=20+loss=1"];
const LANES = [1, 2, 4];
const REPEATS = 5;
const STREAM_MS = 2_000;
const BURST_BYTES = 1024 * 1024;
const CREDENTIAL_MS = 3_600_000;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function measure(treatment: string): Promise<string[]> {
  const turn = await TurnServer.start(randomBytes(16).toString("hex"), systemClock);
  const proxy = await UdpProxy.open({ serverPort: turn.port, clock: systemClock, random: new Random(1, "lanes") });
  proxy.impair(parseTreatment(treatment).impairment);
  const ice = { stun: [], turn: [`turn:127.0.0.1:${proxy.port}?transport=udp`], turnSecret: turn.secret };
  const iceServers = iceServersFor(ice, "lanes", systemClock.wallMs() + CREDENTIAL_MS).map((server) => ({
    ...server,
    urls: [...server.urls],
  }));
  const results = new Map<number, LaneResult[]>(LANES.map((lanes) => [lanes, []]));
  try {
    await withLanes(async (run) => {
      // In turn, so that whatever else the machine does falls on all alike.
      for (let repeat = 0; repeat < REPEATS; repeat++) {
        for (const lanes of LANES) {
          const request = { lanes, iceServers, streamMs: STREAM_MS, burstBytes: BURST_BYTES, bursts: 3 };
          results.get(lanes)?.push(await run(request));
        }
      }
    });
  } finally {
    proxy.close();
    await turn.stop();
  }
  const rate = (list: readonly LaneResult[]): number => median(list.map(({ bytesPerMs }) => (bytesPerMs * 8) / 1_000));
  const burst = (list: readonly LaneResult[]): number => median(list.map(medianBurstMs));
  const one = results.get(1) ?? [];
  return [...results].map(([lanes, list]) =>
    [
      treatment.padEnd(18),
      String(lanes).padStart(5),
      `${median(list.map(({ roundTripMs }) => roundTripMs)).toFixed(0)} ms`.padStart(11),
      `${rate(list).toFixed(1)} Mbit/s`.padStart(13),
      `${(rate(list) / rate(one)).toFixed(2)}x`.padStart(7),
      `${burst(list).toFixed(0)} ms`.padStart(12),
      `${(burst(one) / burst(list)).toFixed(2)}x`.padStart(7),
    ].join(" "),
  );
}

try {
  console.log("network            lanes  round trip        stream  of one  1 MiB burst  faster");
  for (const treatment of TREATMENTS) for (const row of await measure(treatment)) console.log(row);
} catch (error) {
  process.stderr.write(`lanes: ${error instanceof HearthError ? error.message : describeError(error)}\n`);
  process.exitCode = 1;
}
