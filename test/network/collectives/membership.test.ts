import { expect, test } from "vitest";
import { DeadlineError, OptionError, PeerLostError } from "../../../src/base/errors.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import { swarm } from "../support/swarm.ts";

const SEED = 20_260_302;
const VERDICT = { silenceMsMax: 1_000, agreementMsMax: 500 };

function options(operation: number, more: Partial<ReduceOptions> = {}): ReduceOptions {
  return { operation, category: "gradients", deadlineMs: 10_000, ...more };
}

const ones = (value: number): Float32Array<ArrayBuffer> => new Float32Array(50).fill(value);

test("a split gives each colour its group, ranked by key, and they work side by side", async () => {
  const { groups, run } = await swarm(6, SEED);
  const all = groups(1);
  const parts = await run(Promise.all(all.map((group) => group.split(group.rank % 2, -group.rank, options(1)))));
  expect(parts.map((part) => part?.members)).toEqual(
    all.map((_, rank) => (rank % 2 === 0 ? ["peer-4", "peer-2", "peer-0"] : ["peer-5", "peer-3", "peer-1"])),
  );
  const sums = await run(
    Promise.all([
      ...parts.map(async (part, rank) => part?.allReduce(ones(rank), options(7))),
      ...all.map((group) => group.allReduce(ones(group.rank), options(7))),
    ]),
  );
  expect(sums.map((sum) => sum?.[0])).toEqual([6, 9, 6, 9, 6, 9, 15, 15, 15, 15, 15, 15]);
});

test("rows and columns of a mesh share members, and a member without a colour gets no group", async () => {
  const { groups, run } = await swarm(5, SEED);
  const all = groups(1);
  const split = (color: (rank: number) => number | null, operation: number): Promise<(Group | null)[]> =>
    run(Promise.all(all.map((group) => group.split(color(group.rank), 0, options(operation)))));
  const rows = await split((rank) => (rank === 4 ? null : rank >> 1), 1);
  const columns = await split((rank) => (rank === 4 ? null : rank & 1), 2);
  expect([rows[4], columns[4]]).toEqual([null, null]);
  const sum = async (group: Group | null, rank: number): Promise<number> =>
    (await group?.allReduce(ones(rank), options(3)))?.[0] ?? -1;
  const [byRow, byColumn] = await run(Promise.all([Promise.all(rows.map(sum)), Promise.all(columns.map(sum))]));
  expect(byRow).toEqual([1, 1, 5, 5, -1]);
  expect(byColumn).toEqual([2, 4, 2, 4, -1]);
});

test.each(["kill", "freeze", "breakLinks", "cut"] as const)(
  "after a %s all survivors give one verdict, and go on",
  async (harm) => {
    const size = 5;
    const { groups, run, network, clock, peers } = await swarm(size, SEED);
    const all = groups(1, { verdict: VERDICT });
    const inputs = all.map((_, rank) => ones(rank + 1));
    const startMs = clock.nowMs();
    if (harm === "kill" || harm === "freeze") network[harm]("peer-2");
    else for (const peer of peers) if (peer !== "peer-2") network[harm]("peer-2", peer);
    const survivors = all.filter((group) => group.rank !== 2);
    const ends = await run(
      Promise.all(
        survivors.flatMap((group) =>
          [
            group.allReduce(inputs[group.rank] as Float32Array<ArrayBuffer>, options(1, { algorithm: "ring" })),
            group.barrier(options(2)),
          ].map((end) => end.catch((error: unknown) => error)),
        ),
      ),
    );
    expect(clock.nowMs() - startMs).toBeLessThan(4_000);
    for (const end of ends) {
      expect(end).toBeInstanceOf(PeerLostError);
      expect((end as PeerLostError).message).toBe("group of epoch 1: lost peer-2");
    }
    expect(survivors.map(({ verdict }) => verdict)).toEqual(
      survivors.map(() => ({
        lost: ["peer-2"],
        survivors: ["peer-0", "peer-1", "peer-3", "peer-4"],
        isAgreed: true,
      })),
    );
    const shrunken = survivors.map((group) => group.shrink());
    expect(shrunken[0]?.fence).toMatchObject({ incarnation: 1, epoch: 2 });
    const again = await run(
      Promise.all(
        shrunken.map((group, at) =>
          group.allReduce(inputs[survivors[at]?.rank ?? 0] as Float32Array<ArrayBuffer>, options(1)),
        ),
      ),
    );
    for (const sum of again) expect(sum).toEqual(ones(1 + 2 + 4 + 5));
  },
);

test("two that cannot reach each other: the newer one is left out, and knows it", async () => {
  const { groups, run, network } = await swarm(4, SEED);
  const all = groups(1, { verdict: VERDICT });
  network.cut("peer-1", "peer-3");
  await run(Promise.allSettled(all.map((group) => group.allReduce(ones(1), options(1)))));
  expect(all.map(({ verdict }) => verdict?.lost)).toEqual(all.map(() => ["peer-3"]));
  expect(all.map(({ verdict }) => verdict?.isAgreed)).toEqual([true, true, true, false]);
  expect(() => all[3]?.shrink()).toThrow(OptionError);
});

test("silence of a peer with nothing under way is found by its missing signs of life", async () => {
  const { groups, network, clock } = await swarm(3, SEED);
  const all = groups(1, { verdict: VERDICT });
  await clock.advance(5_000);
  expect(all.map(({ verdict }) => verdict)).toEqual([null, null, null]);
  network.freeze("peer-0");
  await clock.advance(2_000);
  expect(all.map(({ verdict }) => verdict?.lost)).toEqual([undefined, ["peer-0"], ["peer-0"]]);
  await expect(all[1]?.barrier(options(1))).rejects.toThrow("lost peer-0");
});

test("a member that computes for long without a word is not silent: its beats go on; slow operations have deadlines", async () => {
  const { groups, run } = await swarm(2, SEED);
  const [a] = groups(1, { verdict: VERDICT }) as [Group, Group];
  await expect(run(a.barrier(options(1, { deadlineMs: 4_000 })))).rejects.toThrow(DeadlineError);
  expect(a.verdict).toBeNull();
});

test("a group grows by members that make their own part of it", async () => {
  const { groups, run, muxes, peers, network } = await swarm(4, SEED);
  const old = groups(1).slice(0, 0);
  expect(old).toEqual([]);
  const small = muxes.slice(0, 2).map(
    (mux) =>
      new Group({
        mux,
        members: peers.slice(0, 2),
        fence: { incarnation: 2, epoch: 1 },
        clock: network.clockOf(mux.self),
      }),
  );
  const grown = small.map((group) => group.grow(["peer-2", "peer-3"]));
  const { members, fence } = grown[0] as Group;
  const joined = muxes.slice(2).map((mux) => new Group({ mux, members, fence, clock: network.clockOf(mux.self) }));
  const sums = await run(
    Promise.all([...grown, ...joined].map((group) => group.allReduce(ones(group.rank), options(1)))),
  );
  for (const sum of sums) expect(sum).toEqual(ones(6));
  expect(() => (grown[0] as Group).shrink()).toThrow(/expected others to be lost, found nobody/);
});

test("sibling groups shrink on their own, and early frames of others are kept", async () => {
  const { groups, run, network } = await swarm(5, SEED);
  const all = groups(1, { verdict: VERDICT });
  // 0, 1, 2 in one; 2, 3, 4 in the other, by two splits.
  const first = await run(Promise.all(all.map((group) => group.split(group.rank <= 2 ? 0 : null, 0, options(1)))));
  const second = await run(Promise.all(all.map((group) => group.split(group.rank >= 2 ? 0 : null, 0, options(2)))));
  network.kill("peer-0");
  await run(Promise.allSettled([1, 2].map(async (rank) => first[rank]?.barrier(options(1)))));
  const early = [3, 4].map(async (rank) => second[rank]?.allReduce(ones(rank), options(5)));
  const smaller = [1, 2].map((rank) => first[rank]?.shrink());
  const sums = await run(Promise.all([...early, second[2]?.allReduce(ones(2), options(5))]));
  for (const sum of sums) expect(sum).toEqual(ones(9));
  const shrunken = await run(Promise.all(smaller.map(async (group) => group?.allReduce(ones(1), options(5)))));
  for (const sum of shrunken) expect(sum).toEqual(ones(2));
});
