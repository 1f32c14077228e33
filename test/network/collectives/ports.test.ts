/** Every verb by every program and codec over real MessagePorts, as tabs of one browser have them. */
import { afterAll, describe, expect, test } from "vitest";
import { bytesOf, floatsOf } from "../../../src/base/bytes.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { ALGORITHMS } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName, Verb } from "../../../src/network/collectives/algorithms.ts";
import { withErrorFeedback } from "../../../src/network/collectives/codecs/error-feedback.ts";
import { float16Codec } from "../../../src/network/collectives/codecs/float16.ts";
import { powerSgdCodec } from "../../../src/network/collectives/codecs/power-sgd.ts";
import { int4Codec, int8Codec } from "../../../src/network/collectives/codecs/quantized.ts";
import { topKCodec } from "../../../src/network/collectives/codecs/top-k.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { Mux } from "../../../src/network/mux.ts";
import { exchangeTransport } from "../../../src/network/transport/message-port/exchange-transport.ts";
import { PortExchange } from "../../../src/network/transport/message-port/port-exchange.ts";

type Floats = Float32Array<ArrayBuffer>;

/** By name: how far a sum of 8 values up to 4 may be off; null where only equal bits are promised. */
const CODECS = [
  ["none", () => undefined, 0],
  ["float16", () => float16Codec, 0],
  ["int8", () => int8Codec(), (9 * 32) / 127],
  ["int4", () => int4Codec(), (9 * 32) / 7],
  ["top-k", () => withErrorFeedback(topKCodec(0.5)), null],
  ["PowerSGD", () => withErrorFeedback(powerSgdCodec(2)), null],
] as const;

const LENGTH = 40;
const muxes: Mux[] = [];
const lines: MessagePort[] = [];
afterAll(() => {
  for (const mux of muxes) mux.close();
  for (const line of lines) line.close();
});

async function openGroups(size: number): Promise<Group[]> {
  const exchange = new PortExchange();
  const members = ranksOf(size).map((rank) => `tab-${rank}`);
  const own = members.map((peer) => {
    const { port1, port2 } = new MessageChannel();
    lines.push(port1, port2);
    exchange.attach(port2);
    return new Mux({ transport: exchangeTransport(peer, systemClock, port1) });
  });
  muxes.push(...own);
  const dials = own.flatMap((mux) =>
    members.filter((peer) => peer > mux.self).map((peer) => mux.connect(peer, { deadlineMs: 20_000 })),
  );
  await Promise.all(dials);
  while (!own.every((mux) => members.every((peer) => peer === mux.self || mux.isLinked(peer)))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return own.map(
    (mux) =>
      new Group({
        mux,
        members,
        fence: { incarnation: 1, epoch: 1 },
        clock: systemClock,
        near: [members.map((_, rank) => rank)],
      }),
  );
}

const inputOf = (rank: number): Floats =>
  Float32Array.from({ length: LENGTH }, (_, at) => ((at * 3 + rank * 5) % 9) - 4);

/** The verb at a member, as one array. */
async function perform(group: Group, verb: Verb, options: ReduceOptions): Promise<Floats> {
  const { size, rank } = group;
  const [own, root] = [inputOf(rank), size >> 1];
  const bounds = ranksOf(size + 1).map((at) => Math.floor((at * LENGTH) / size));
  const parts = ranksOf(size).map((at) => bytesOf(own).subarray(4 * (bounds[at] ?? 0), 4 * (bounds[at + 1] ?? 0)));
  const flat = (all: readonly Floats[]): Floats => Float32Array.from(all.flatMap((one) => [...one]));
  switch (verb) {
    case "all-reduce":
      return group.allReduce(own, options);
    case "reduce":
      return (await group.reduce(root, own, options)) ?? new Float32Array(0);
    case "reduce-scatter":
      return group.reduceScatter(own, bounds, ranksOf(size), options);
    case "all-gather":
      return floatsOf(
        await group.allGather(
          bytesOf(own),
          ranksOf(size + 1).map((at) => 4 * LENGTH * at),
          options,
        ),
      );
    case "broadcast":
      return floatsOf(await group.broadcast(root, rank === root ? bytesOf(own) : null, options));
    case "scatter":
      return floatsOf(await group.scatter(root, rank === root ? parts : null, options));
    case "gather":
      return flat(((await group.gather(root, bytesOf(own), options)) ?? []).map(floatsOf));
    case "all-to-all":
      return flat((await group.allToAll(parts, options)).map(floatsOf));
  }
}

describe.each([1, 2, 3, 4, 5, 7, 8, 16])("%i tabs of one browser", (size) => {
  test("get by every verb, program and codec what the direct sum is, with the same bits on all", async () => {
    const groups = await openGroups(size);
    let operation = 0;
    for (const [verb, makers] of Object.entries(ALGORITHMS) as [Verb, Record<string, unknown>][]) {
      let exact: Floats[] | null = null;
      for (const algorithm of Object.keys(makers) as AlgorithmName[]) {
        for (const [codecName, makeCodec, tolerance] of CODECS) {
          operation += 1;
          const options = { operation, category: "gradients", deadlineMs: 30_000, algorithm } as const;
          const got = await Promise.all(
            groups.map((group) => perform(group, verb, { ...options, codec: makeCodec() })),
          );
          const what = `${verb} by ${algorithm}, ${codecName}, of ${size}`;
          exact ??= got;
          for (const [rank, values] of got.entries()) {
            if (["all-reduce", "all-gather", "broadcast"].includes(verb)) expect(values, what).toEqual(got[0]);
            expect(values.length, what).toBe(exact[rank]?.length);
            if (tolerance === null) continue;
            const worst = values.reduce(
              (most, value, at) => Math.max(most, Math.abs(value - (exact?.[rank]?.[at] ?? 0))),
              0,
            );
            expect(worst, what).toBeLessThanOrEqual(tolerance);
          }
        }
      }
      if (verb !== "all-reduce") continue;
      const sum = Float32Array.from({ length: LENGTH }, (_, at) =>
        ranksOf(size).reduce((total, rank) => total + (inputOf(rank)[at] ?? 0), 0),
      );
      for (const values of exact ?? []) expect(values).toEqual(sum);
    }
  });
});
