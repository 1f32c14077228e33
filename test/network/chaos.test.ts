import { expect, test } from "vitest";
import { bytesOf } from "../../src/base/bytes.ts";
import { HearthError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import type { Group } from "../../src/network/collectives/group.ts";
import { swarm } from "./support/swarm.ts";

const SEEDS = 150;
const DEADLINE_MS = 4_000;

/** One thing that goes wrong, at a random moment. */
const HARMS = ["break", "cut", "cut-and-heal", "freeze", "freeze-and-thaw", "kill", "close", "none"] as const;

test(`in ${SEEDS} runs with faults every operation ends by its deadline, and what it gives is right`, async () => {
  const ends: Record<string, number> = {};
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = new Random(seed, "chaos");
    const size = 2 + random.below(4);
    const { groups, network, clock, peers } = await swarm(size, seed, {
      network: { latencyMs: random.below(20), jitterMs: random.below(20), bytesPerMs: 50 + random.below(2_000) },
    });
    const length = random.below(20_000);
    const bounds = Array.from({ length: size + 1 }, (_, rank) => Math.floor((rank * length) / size));
    const inputs = peers.map((_, rank) => Float32Array.from({ length }, (_, at) => (at % 89) + rank));
    const members = groups(1);
    const harm = random.pick(HARMS);
    const [victim, other] = random.shuffle(peers) as [string, string];
    clock.after(random.below(200), () => {
      if (harm === "break") network.breakLinks(victim, other);
      if (harm.startsWith("cut")) network.cut(victim, other);
      if (harm.startsWith("freeze")) network.freeze(victim);
      if (harm === "kill") network.kill(victim);
      if (harm === "close") members[peers.indexOf(victim)]?.close("closed");
    });
    clock.after(200 + random.below(1_500), () => {
      if (harm === "cut-and-heal") network.heal(victim, other);
      if (harm === "freeze-and-thaw") network.thaw(victim);
    });
    const step = async (group: Group, operation: number): Promise<Float32Array> => {
      const options = { deadlineMs: DEADLINE_MS, operation, category: "gradients" } as const;
      const share = await group.reduceScatter(inputs[group.rank] as (typeof inputs)[number], bounds, ranks, options);
      const whole = await group.allGather(
        bytesOf(share),
        bounds.map((bound) => 4 * bound),
        {
          ...options,
          operation: operation + 1,
        },
      );
      return new Float32Array(whole.slice().buffer);
    };
    const ranks = peers.map((_, rank) => rank);
    const expected = Float32Array.from({ length }, (_, at) => size * (at % 89) + (size * (size - 1)) / 2);
    const startMs = clock.nowMs();
    // A dead or frozen member's own operations end only for itself, or never.
    const living = members.filter((group) => !(["kill", "freeze"].includes(harm) && peers[group.rank] === victim));
    const outcome = (group: Group) => step(group, 10).then(() => step(group, 20));
    const all = members.map((group) => ({ group, result: Promise.allSettled([outcome(group)]) }));
    for (const { group, result } of all.filter(({ group }) => living.includes(group))) {
      const [settled] = await clock.run(result);
      const what = `seed ${seed}, ${harm}, rank ${group.rank} of ${size}`;
      expect(clock.nowMs() - startMs, what).toBeLessThanOrEqual(4 * DEADLINE_MS + 2_000);
      if (settled.status === "fulfilled")
        expect(Buffer.compare(bytesOf(settled.value as never), bytesOf(expected)), what).toBe(0);
      else expect(settled.reason, what).toBeInstanceOf(HearthError);
      const name = settled.status === "fulfilled" ? "right" : (settled.reason as HearthError).code;
      const key = `${harm}: ${name}`;
      ends[key] = (ends[key] ?? 0) + 1;
    }
    if (harm === "none") expect(all.length, `seed ${seed}`).toBe(living.length);
  }
  expect(ends["none: right"]).toBeGreaterThan(20);
  expect(Object.keys(ends).filter((key) => key.startsWith("none"))).toEqual(["none: right"]);
  for (const key of ["break: peer-lost", "cut: deadline", "freeze: deadline", "kill: deadline", "close: aborted"]) {
    expect(ends[key], `${key} in ${JSON.stringify(ends)}`).toBeGreaterThan(0);
  }
}, 120_000);
