import { describe, expect, test } from "vitest";
import { bytesOf } from "../../../src/base/bytes.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { AbortedError, DeadlineError, OptionError, PeerLostError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Group } from "../../../src/network/collectives/group.ts";
import type { OperationOptions } from "../../../src/network/collectives/operation.ts";
import { swarm } from "../support/swarm.ts";

type Floats = Float32Array<ArrayBuffer>;

const SEED = 20_260_106;

function options(operation: number, more: Partial<OperationOptions> = {}): OperationOptions {
  return { operation, category: "gradients", deadlineMs: 30_000, ...more };
}

function floats(seed: number, rank: number, length: number): Floats {
  const random = new Random(seed, "values", rank);
  return Float32Array.from({ length }, () => random.normal() * 10 ** (random.below(9) - 4));
}

/** The sum in rank order, in float32: what every member must have, to the bit. */
function summed(parts: readonly Floats[], length: number): Floats {
  const sum = new Float32Array(length);
  parts.forEach((part, at) => {
    for (let i = 0; i < length; i++) sum[i] = at === 0 ? (part[i] as number) : (sum[i] as number) + (part[i] as number);
  });
  return sum;
}

function filled(length: number, rank: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + rank * 31) & 0xff);
}

const all = <T>(groups: readonly Group[], verb: (group: Group) => Promise<T>): Promise<T[]> =>
  Promise.all(groups.map(verb));

describe.each([1, 2, 3, 4, 5])("a group of %i", (size) => {
  test("reduces and scatters uneven shares, to the bit the sum in rank order, whatever arrives first", async () => {
    for (const seed of [1, 2, 3]) {
      const { groups, run } = await swarm(size, SEED + seed);
      const bounds = Array.from({ length: size + 1 }, (_, rank) => rank * rank * 10);
      const length = bounds[size] as number;
      const inputs = Array.from({ length: size }, (_, rank) => floats(seed, rank, length));
      const before = inputs.map((input) => input.slice());
      const contributors = inputs.map((_, rank) => rank);
      const results = await run(
        all(groups(1), (group) => group.reduceScatter(inputs[group.rank] as Floats, bounds, contributors, options(7))),
      );
      const sum = summed(before, length);
      results.forEach((result, rank) => {
        expect(bytesOf(result)).toEqual(bytesOf(sum.slice(bounds[rank], bounds[rank + 1])));
      });
      expect(inputs).toEqual(before);
    }
  });

  test("reduces what contributors give alone; the others pass nothing", async () => {
    const { groups, run } = await swarm(size, SEED);
    const bounds = Array.from({ length: size + 1 }, (_, rank) => rank * 33);
    const contributors = Array.from({ length: size }, (_, rank) => rank)
      .filter((rank) => rank % 2 === 0)
      .reverse();
    const input = (rank: number): Floats => floats(5, rank, size * 33);
    const results = await run(
      all(groups(1), (group) => {
        const values = contributors.includes(group.rank) ? input(group.rank) : new Float32Array(0);
        return group.reduceScatter(values, bounds, contributors, options(1));
      }),
    );
    const sum = summed([...contributors].reverse().map(input), size * 33);
    results.forEach((result, rank) => expect(result).toEqual(sum.slice(rank * 33, rank * 33 + 33)));
  });

  test("reduces nothing to zeros", async () => {
    const { groups, run } = await swarm(size, SEED);
    const bounds = Array.from({ length: size + 1 }, (_, rank) => rank * 3);
    const none = new Float32Array(0);
    const results = await run(all(groups(1), (group) => group.reduceScatter(none, bounds, [], options(1))));
    for (const result of results) expect(result).toEqual(new Float32Array(3));
  });

  test.each(["direct", "ring"] as const)("all-reduces to the same bits on all ranks, %s", async (algorithm) => {
    const { groups, run } = await swarm(size, SEED);
    const length = 1_001;
    const inputs = Array.from({ length: size }, (_, rank) => floats(9, rank, length));
    const results = await run(
      all(groups(1, { algorithm }), (group) => group.allReduce(inputs[group.rank] as Floats, options(1))),
    );
    const sum = summed(inputs, length);
    for (const result of results) {
      expect(bytesOf(result)).toEqual(bytesOf(results[0] as Floats));
      // Any order of n float32 sums differs from another by at most n roundings of the partial sums.
      const scale = Math.max(...inputs.map((input) => Math.max(...input.map(Math.abs))));
      result.forEach((value, i) =>
        expect(Math.abs(value - (sum[i] as number))).toBeLessThan(size * size * scale * 2 ** -24),
      );
    }
    if (algorithm === "direct") expect(bytesOf(results[0] as Floats)).toEqual(bytesOf(sum));
  });

  test.each(["direct", "ring"] as const)("all-gathers uneven bytes, %s", async (algorithm) => {
    const { groups, run } = await swarm(size, SEED);
    const bounds = Array.from({ length: size + 1 }, (_, rank) => rank * (rank - 1) * 50); // Rank 0 gives nothing.
    const own = (rank: number): Bytes => filled((bounds[rank + 1] as number) - (bounds[rank] as number), rank);
    const results = await run(
      all(groups(1, { algorithm }), (group) => group.allGather(own(group.rank), bounds, options(1))),
    );
    for (const result of results) {
      for (let rank = 0; rank < size; rank++) {
        expect(result.slice(bounds[rank], bounds[rank + 1])).toEqual(own(rank));
      }
    }
  });

  test("broadcasts from every root and passes barriers, side by side", async () => {
    const { groups, run } = await swarm(size, SEED);
    const members = groups(1);
    const roots = members.map((_, root) => root);
    const results = await run(
      all(members, (group) =>
        Promise.all([
          ...roots.map((root) =>
            group.broadcast(root, group.rank === root ? filled(500 + root, root) : null, options(10 + root)),
          ),
          group.barrier(options(1)).then(() => filled(0, 0)),
        ]),
      ),
    );
    for (const result of results) {
      expect(result).toEqual([...roots.map((root) => filled(500 + root, root)), filled(0, 0)]);
    }
  });
});

test("send and receive carry bytes of any size between two ranks", async () => {
  const { groups, run } = await swarm(3, SEED);
  const members = groups(1);
  for (const [operation, size] of [0, 1, 65_536, 65_537, 5_000_000].entries()) {
    const [, received] = await run(
      Promise.all([
        (members[2] as Group).send(0, filled(size, 2), options(operation)),
        (members[0] as Group).receive(2, options(operation)),
      ]),
    );
    expect(Buffer.compare(received, filled(size, 2))).toBe(0);
  }
});

test("an exchange delivers to those who are sent to, and to nobody else", async () => {
  const { groups, run } = await swarm(4, SEED);
  const edges = [
    [0, 1],
    [0, 2],
    [2, 0],
    [3, 2],
  ] as const;
  const results = await run(
    all(groups(1), (group) =>
      group.exchange(
        new Map(edges.filter(([from]) => from === group.rank).map(([from, to]) => [to, filled(100_000 + to, from)])),
        edges.filter(([, to]) => to === group.rank).map(([from]) => from),
        options(1, { category: "optimizerReplica" }),
      ),
    ),
  );
  results.forEach((result, rank) => {
    const expected = new Map(
      edges.filter(([, to]) => to === rank).map(([from, to]) => [from, filled(100_000 + to, from)]),
    );
    expect(result).toEqual(expected);
  });
});

test("a barrier holds everybody until the last one comes", async () => {
  const { groups, run, clock } = await swarm(4, SEED);
  const passed: number[] = [];
  const members = groups(1);
  const early = members.slice(0, 3).map((group) => group.barrier(options(1)).then(() => passed.push(group.rank)));
  await clock.advance(5_000);
  expect(passed).toEqual([]);
  await run(Promise.all([...early, (members[3] as Group).barrier(options(1)).then(() => passed.push(3))]));
  expect(passed.sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
});

test("operations with different numbers run side by side, begun in different orders", async () => {
  const { groups, run } = await swarm(3, SEED);
  const random = new Random(SEED, "order");
  const bounds = [0, 40, 80, 120];
  const results = await run(
    all(groups(1), async (group) => {
      const sums = new Map<number, Floats>();
      const operations = random.shuffle([1, 2, 3, 4, 5, 6, 7, 8]);
      await Promise.all(
        operations.map(async (operation) => {
          const values = floats(operation, group.rank, 120);
          sums.set(operation, await group.reduceScatter(values, bounds, [0, 1, 2], options(operation)));
        }),
      );
      return sums;
    }),
  );
  for (let operation = 1; operation <= 8; operation++) {
    const sum = summed(
      [0, 1, 2].map((rank) => floats(operation, rank, 120)),
      120,
    );
    results.forEach((sums, rank) => expect(sums.get(operation)).toEqual(sum.slice(rank * 40, rank * 40 + 40)));
  }
});

test("what is sent before the receiver begins is kept; a message beyond the window waits for its grant", async () => {
  const { groups, run, clock, mux } = await swarm(2, SEED);
  const [a, b] = groups(1) as [Group, Group];
  const large = filled(6_000_000, 0);
  const sent = a.send(1, large, options(1));
  const small = a.send(1, filled(900_000, 3), options(2));
  await clock.advance(3_000);
  const sentBefore = mux(0).bytesSent().gradients;
  expect(sentBefore).toBeGreaterThan(1_900_000);
  expect(sentBefore).toBeLessThan(2_100_000); // 16 frames of one, all 14 of the other.
  const received = await run(Promise.all([b.receive(0, options(1)), b.receive(0, options(2)), sent, small]));
  expect(Buffer.compare(received[0], large)).toBe(0);
  expect(Buffer.compare(received[1], filled(900_000, 3))).toBe(0);
  expect(mux(1).bytesSent().control).toBe(36); // One grant.
});

test("a step's bytes are 4P(n-1)/n each way and member, and headers add less than 1%", async () => {
  const size = 4;
  const { groups, run, muxes } = await swarm(size, SEED);
  const parameters = 110_400;
  const bounds = Array.from({ length: size + 1 }, (_, rank) => (rank * parameters) / size);
  await run(
    all(groups(1), async (group) => {
      const gradients = floats(1, group.rank, parameters);
      const share = await group.reduceScatter(gradients, bounds, [0, 1, 2, 3], options(1));
      await group.allGather(
        bytesOf(share),
        bounds.map((bound) => 4 * bound),
        options(2, { category: "parameters" }),
      );
    }),
  );
  const ideal = (4 * parameters * (size - 1)) / size;
  for (const mux of muxes) {
    for (const category of ["gradients", "parameters"] as const) {
      expect(mux.bytesSent()[category]).toBeGreaterThanOrEqual(ideal);
      expect(mux.bytesSent()[category]).toBeLessThan(1.01 * ideal);
    }
  }
});

test("a deadline rejects and names the ranks that are missing", async () => {
  const { groups, run, network } = await swarm(4, SEED);
  const members = groups(1);
  network.freeze("peer-2");
  const bounds = [0, 10, 20, 30, 40];
  const results = await run(
    Promise.allSettled(
      [0, 1, 3].map((rank) =>
        (members[rank] as Group).reduceScatter(
          floats(1, rank, 40),
          bounds,
          [0, 1, 2, 3],
          options(1, { deadlineMs: 700 }),
        ),
      ),
    ),
  );
  for (const result of results) {
    expect(result.status).toBe("rejected");
    const { reason } = result as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(DeadlineError);
    expect((reason as Error).message).toBe(
      "reduce-scatter 1 of epoch 1: expected an end within 700 ms, found nothing yet from rank 2 (peer peer-2)",
    );
  }
});

test("a deadline names the rank that does not take what is sent", async () => {
  const { groups, run, network } = await swarm(2, SEED);
  const [a] = groups(1) as [Group];
  network.freeze("peer-1");
  await expect(run(a.send(1, filled(4_000_000, 0), options(1, { deadlineMs: 900 })))).rejects.toThrow(
    /send 1 of epoch 1: expected an end within 900 ms, found data that waits to be taken by rank 1 \(peer peer-1\)/,
  );
});

test("a lost link rejects everything under way and later with the peer's name, on both sides", async () => {
  const { groups, run, network, clock } = await swarm(3, SEED);
  const members = groups(1);
  const [a, b, c] = members as [Group, Group, Group];
  const pending = Promise.allSettled([
    a.barrier(options(1)),
    a.receive(2, options(2)),
    b.receive(0, options(3)),
    c.receive(0, options(4, { deadlineMs: 1_500 })),
  ]);
  await clock.advance(50);
  network.breakLinks("peer-0", "peer-1");
  const results = await run(pending);
  const reasons = results.map((result) => (result as PromiseRejectedResult).reason as PeerLostError);
  expect(reasons.slice(0, 3).map((reason) => [reason.name, reason.peer])).toEqual([
    ["PeerLostError", "peer-1"],
    ["PeerLostError", "peer-1"],
    ["PeerLostError", "peer-0"],
  ]);
  expect(reasons[3]).toBeInstanceOf(DeadlineError); // Rank 2 has lost nobody.
  await expect(a.receive(2, options(5))).rejects.toThrow(PeerLostError);
});

test("a rank that was never linked is named at once", async () => {
  const { groups, mux, clock } = await swarm(2, SEED);
  mux(0).disconnect("peer-1", "test");
  await clock.advance(100);
  const [a] = groups(1) as [Group];
  await expect(a.receive(1, options(1))).rejects.toThrow(
    "receive 1 of epoch 1: expected an open link to rank 1 (peer peer-1), found none",
  );
});

test("a signal aborts an operation, before and while it runs, and leaves the others alone", async () => {
  const { groups, run, clock } = await swarm(2, SEED);
  const [a, b] = groups(1) as [Group, Group];
  const controller = new AbortController();
  const aborted = a.receive(1, options(1, { signal: controller.signal }));
  const kept = a.receive(1, options(2));
  await clock.advance(10);
  controller.abort();
  await expect(aborted).rejects.toThrow(AbortedError);
  await expect(a.receive(1, options(3, { signal: controller.signal }))).rejects.toThrow(AbortedError);
  const [received] = await run(Promise.all([kept, b.send(0, filled(10, 1), options(2))]));
  expect(received).toEqual(filled(10, 1));
});

test("closing a group aborts what is under way, and what is left of its fence is stale and counted", async () => {
  const { groups, run, mux, clock } = await swarm(2, SEED);
  const [a, b] = groups(1) as [Group, Group];
  const pending = a.receive(1, options(1));
  a.close("a new epoch begins");
  await expect(pending).rejects.toThrow("group of epoch 1: closed: a new epoch begins");
  await expect(a.barrier(options(2))).rejects.toThrow(AbortedError);
  await run(b.send(0, filled(100_000, 1), options(1)));
  await run(b.send(0, filled(10, 1), options(3)));
  await clock.advance(100);
  expect(mux(0).stats().dropped).toMatchObject({ stale: 3, overflow: 0, malformed: 0 });
});

test("frames of the last epoch never reach the next one's group, though operation numbers are the same", async () => {
  const { groups, run, mux, clock } = await swarm(2, SEED);
  const [oldA, oldB] = groups(1) as [Group, Group];
  await run(oldB.send(0, filled(10, 9), options(1)));
  await clock.advance(50); // Kept for the old group, which never asks.
  await run(oldB.send(0, filled(10, 9), options(2)));
  oldA.close("next");
  const [a, b] = groups(2) as [Group, Group];
  await clock.advance(50); // The second one arrives after its group closed.
  const received = a.receive(1, options(1));
  await run(b.send(0, filled(20, 1), options(1)));
  expect(await run(received)).toEqual(filled(20, 1));
  expect(mux(0).stats().dropped.stale).toBe(2);
});

test("a group that opens late finds what the others sent it for this epoch", async () => {
  const { run, muxes, peers, network, clock } = await swarm(2, SEED);
  const { Group: GroupClass } = await import("../../../src/network/collectives/group.ts");
  const open = (rank: number): Group =>
    new GroupClass({
      mux: muxes[rank] as (typeof muxes)[number],
      members: peers,
      fence: { incarnation: 2, epoch: 1 },
      clock: network.clockOf(peers[rank] as string),
    });
  const early = open(1);
  await run(early.send(0, filled(50, 1), options(4)));
  await clock.advance(100);
  expect(await run(open(0).receive(1, options(4)))).toEqual(filled(50, 1));
});

test("wrong arguments are refused before anything is sent", async () => {
  const { groups, mux, peers, clock } = await swarm(2, SEED);
  const [a] = groups(1) as [Group];
  const values = new Float32Array(10);
  const refused = [
    a.reduceScatter(values, [0, 5], [0, 1], options(1)),
    a.reduceScatter(values, [0, 6, 5], [0, 1], options(1)),
    a.reduceScatter(values, [0, 5, 11], [0, 1], options(1)),
    a.reduceScatter(values, [0, 5, 10], [0, 2], options(1)),
    a.allGather(filled(3, 0), [0, 4, 8], options(1)),
    a.send(0, filled(1, 0), options(1)),
    a.receive(2, options(1)),
    a.exchange(new Map([[5, filled(1, 0)]]), [], options(1)),
    a.exchange(new Map(), [1, 1], options(1)),
    a.broadcast(0, null, options(1)),
    a.broadcast(1, filled(1, 0), options(1)),
  ];
  for (const result of refused) await expect(result).rejects.toThrow(OptionError);
  const { Group: GroupClass } = await import("../../../src/network/collectives/group.ts");
  const again = { mux: mux(0), members: peers, fence: { incarnation: 1, epoch: 1 }, clock };
  expect(() => new GroupClass(again)).toThrow(/found a second for epoch 1 of incarnation 1/);
  expect(() => new GroupClass({ ...again, members: ["peer-1"] })).toThrow(OptionError);
  expect(mux(0).bytesSent().gradients).toBe(0);
});

test("an operation number cannot be used twice in an epoch", async () => {
  const { groups, run } = await swarm(2, SEED);
  const [a, b] = groups(1) as [Group, Group];
  await run(Promise.all([a.barrier(options(1)), b.barrier(options(1))]));
  await expect(a.barrier(options(1))).rejects.toThrow(/operation 1 .* expected a new number, found a used one/);
});

test("shares of another size than agreed are a violation, named by rank", async () => {
  const { groups, run, mux } = await swarm(2, SEED);
  const [a, b] = groups(1) as [Group, Group];
  const results = await run(
    Promise.allSettled([
      a.allGather(filled(8, 0), [0, 8, 16], options(1)),
      b.allGather(filled(4, 0), [0, 8, 12], options(1, { deadlineMs: 500 })),
    ]),
  );
  expect((results[0] as PromiseRejectedResult).reason).toMatchObject({
    code: "protocol",
    message: "all-gather 1 of epoch 1: from rank 1 (peer peer-1), expected 8 bytes for chunk 1, found 4",
  });
  expect(mux(0).stats().dropped.malformed).toBe(1);
});

test("forty peers reduce and gather", async () => {
  const size = 40;
  const { groups, run } = await swarm(size, SEED);
  const bounds = Array.from({ length: size + 1 }, (_, rank) => rank * 10);
  const contributors = Array.from({ length: size }, (_, rank) => rank);
  const results = await run(
    all(groups(1), async (group) => {
      const share = await group.reduceScatter(floats(1, group.rank, 400), bounds, contributors, options(1));
      return group.allGather(
        bytesOf(share),
        bounds.map((bound) => 4 * bound),
        options(2),
      );
    }),
  );
  const sum = bytesOf(
    summed(
      contributors.map((rank) => floats(1, rank, 400)),
      400,
    ),
  );
  for (const result of results) expect(result).toEqual(sum);
});
