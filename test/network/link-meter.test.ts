/** What a meter finds of links whose latency and bandwidth are known. */
import { expect, test } from "vitest";
import { LinkMeter } from "../../src/network/link-meter.ts";
import type { Group } from "../../src/network/collectives/group.ts";
import { swarm } from "./support/swarm.ts";

const SEED = 77;
const OPTIONS = { category: "parameters", deadlineMs: 60_000 } as const;
const LINKS = { latencyMs: 20, jitterMs: 0, bytesPerMs: 500 };

test("latency and bandwidth are the network's, each known to its receiver, and news are few", async () => {
  const { groups, run, clock, muxes, peers } = await swarm(2, SEED, { network: LINKS });
  const [first, second] = muxes.map((mux) => new LinkMeter({ mux, clock })) as [LinkMeter, LinkMeter];
  const [a, b] = peers as [string, string];
  expect(first.row(peers)).toEqual([]);
  await run(first.look([b]));
  expect(first.row([b])).toEqual([[b, 20, null]]);
  const [one, two] = groups(1) as [Group, Group];
  const send = (operation: number, bytes: number): Promise<unknown> =>
    run(
      Promise.all([
        two.send(0, new Uint8Array(bytes), { ...OPTIONS, operation }),
        one.receive(1, { ...OPTIONS, operation }),
      ]),
    );
  await send(1, 300_000);
  const [[peer, latencyMs, bytesPerMs] = []] = first.row([b]);
  expect([peer, latencyMs]).toEqual([b, 20]);
  expect(Math.abs((bytesPerMs ?? 0) / 500 - 1)).toBeLessThan(0.1);
  // Nothing large came to the other one.
  expect(second.row([a])).toEqual([]);
  await send(2, 300_000);
  await clock.advance(10_000);
  expect(first.news([b])).toBeNull();
  first.close();
  await send(3, 3_000_000);
  expect(first.row([b])).toEqual([[b, 20, bytesPerMs]]);
});

test("small messages give no figure, a burst does, at the other end and once; a ping is not repeated within 10 s", async () => {
  const { groups, run, clock, muxes, peers } = await swarm(2, SEED, { network: LINKS });
  const meter = new LinkMeter({ mux: muxes[0] as (typeof muxes)[0], clock });
  const [one, two] = groups(1) as [Group, Group];
  await run(
    Promise.all([
      two.send(0, new Uint8Array(40_000), { ...OPTIONS, operation: 1 }),
      one.receive(1, { ...OPTIONS, operation: 1 }),
    ]),
  );
  expect(meter.row(peers)).toEqual([]);
  const startMs = clock.nowMs();
  await run(meter.look(peers.slice(1)));
  expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(40);
  const nextMs = clock.nowMs();
  await meter.look(peers.slice(1));
  expect(clock.nowMs()).toBe(nextMs);
  await run(meter.look(["nobody"])); // Is not linked: nothing to say, and no error.
  expect(meter.row(["nobody"])).toEqual([]);
  const other = new LinkMeter({ mux: muxes[1] as (typeof muxes)[1], clock });
  const before = muxes[0]?.totalBytesSent() ?? 0;
  meter.burst(peers.slice(1));
  meter.burst(peers.slice(1));
  meter.burst(["nobody"]);
  await clock.advance(1_000);
  const sentBytes = (muxes[0]?.totalBytesSent() ?? 0) - before;
  expect(sentBytes).toBeGreaterThan(72 * 1024);
  expect(sentBytes).toBeLessThan(73 * 1024);
  const [[, , bytesPerMs] = []] = other.row(peers.slice(0, 1));
  expect(Math.abs((bytesPerMs ?? 0) / 500 - 1)).toBeLessThan(0.1);
  expect(muxes[1]?.stats().dropped).toMatchObject({ unasked: 0, stale: 0, malformed: 0 });
});
