import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import { SimulatedChannel, type Wire } from "../../../../src/network/transport/simulated/simulated-channel.ts";
import { laneCount } from "../../../../src/network/transport/webrtc/lane-count.ts";
import { StripedChannel } from "../../../../src/network/transport/webrtc/striped-channel.ts";
import { virtualClock } from "../../support/virtual.ts";

type Clock = ReturnType<typeof virtualClock>;

function wired(clock: Clock, random: Random): [SimulatedChannel, SimulatedChannel] {
  const wire: Wire = {
    ends: ["a", "b"],
    clock,
    bytesPerMs: 1_000,
    latencyMs: () => 50 * random.uniform(),
    isCut: () => false,
    at: (_, happen) => happen(),
    flush: () => {},
    close: () => {
      near.closeFromOutside();
      far.closeFromOutside();
    },
  };
  const near = new SimulatedChannel(wire, "a");
  const far = new SimulatedChannel(wire, "b");
  near.other = far;
  far.other = near;
  return [near, far];
}

test("whenever lanes come on either side, and however late each is, messages arrive whole, once and in order", async () => {
  const event = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant("send" as const), bytes: fc.integer({ min: 0, max: 5_000 }) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("say" as const), text: fc.string({ maxLength: 9 }) }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: "near" as const }, { kind: "far" as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 60 }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), fc.nat(), async (events, seed) => {
      const clock = virtualClock();
      const random = new Random(seed, "lanes");
      const lanes = Array.from({ length: 5 }, () => wired(clock, random));
      const [first] = lanes as [[SimulatedChannel, SimulatedChannel]];
      const [near, far] = first.map((channel) => new StripedChannel(channel, clock)) as [
        StripedChannel,
        StripedChannel,
      ];
      const added = { near: 1, far: 1 };
      const sent: string[] = [];
      const received: string[] = [];
      const back: string[] = [];
      far.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
        received.push(typeof data === "string" ? data : `${data.byteLength}`);
        far.send(`${received.length}`);
      };
      near.onmessage = ({ data }: MessageEvent<string>) => back.push(data);
      for (const one of events) {
        if (one.kind === "send") {
          near.send(new Uint8Array(one.bytes));
          sent.push(`${one.bytes}`);
        } else if (one.kind === "say") {
          near.send(`.${one.text}`);
          sent.push(`.${one.text}`);
        } else if (one.kind === "wait") {
          await clock.advance(one.ms);
        } else {
          const lane = lanes[added[one.kind]]?.[one.kind === "near" ? 0 : 1];
          if (lane) (one.kind === "near" ? near : far).addLane(lane);
          added[one.kind] += 1;
        }
      }
      for (; added.near < 5; added.near++) near.addLane(lanes[added.near]?.[0] as SimulatedChannel);
      for (; added.far < 5; added.far++) far.addLane(lanes[added.far]?.[1] as SimulatedChannel);
      await clock.advance(5_000);
      expect(received).toEqual(sent);
      expect(back).toEqual(sent.map((_, at) => `${at + 1}`));
      expect([near.bufferedAmount, near.readyState]).toEqual([0, "open"]);
    }),
    { seed: 24, numRuns: 60 },
  );
});

test("large frames are shared out among the lanes, and the queue is low once for all of them", async () => {
  const clock = virtualClock();
  const lanes = Array.from({ length: 4 }, () => wired(clock, new Random(1, "lanes")));
  const [near, far] = [0, 1].map((side) => new StripedChannel(lanes[0]?.[side] as SimulatedChannel, clock)) as [
    StripedChannel,
    StripedChannel,
  ];
  for (const [a, b] of lanes.slice(1)) {
    near.addLane(a);
    far.addLane(b);
  }
  far.onmessage = () => {};
  near.bufferedAmountLowThreshold = 100_000;
  const low: number[] = [];
  near.onbufferedamountlow = () => low.push(near.bufferedAmount);
  for (let frame = 0; frame < 40; frame++) near.send(new Uint8Array(10_000));
  expect(near.bufferedAmount).toBeGreaterThanOrEqual(400_000);
  // A lane carries 1,000 bytes a millisecond, four of them the whole in a quarter of the time.
  await clock.advance(110);
  expect(near.bufferedAmount).toBe(0);
  expect(low.length).toBeGreaterThan(0);
  expect(Math.max(...low)).toBeLessThanOrEqual(100_000);
});

test("a lane that one side has earlier changes nothing, and one that closes ends the channel after what the others bring", async () => {
  const clock = virtualClock();
  const lanes = Array.from({ length: 3 }, () => wired(clock, new Random(2, "lanes")));
  const [near, far] = [0, 1].map((side) => new StripedChannel(lanes[0]?.[side] as SimulatedChannel, clock)) as [
    StripedChannel,
    StripedChannel,
  ];
  let isClosed = false;
  let messages = 0;
  far.onclose = () => (isClosed = true);
  far.onmessage = () => (messages += 1);
  far.addLane(lanes[1]?.[1] as SimulatedChannel);
  await clock.advance(200);
  near.addLane(lanes[1]?.[0] as SimulatedChannel);
  for (let at = 0; at < 10; at++) near.send(new Uint8Array(10));
  await clock.advance(200);
  expect([messages, isClosed]).toEqual([10, false]);
  near.send(new Uint8Array(10));
  lanes[1]?.[0].close();
  await clock.advance(300);
  expect([messages, isClosed]).toEqual([11, false]);
  await clock.advance(2_000);
  expect(isClosed).toBe(true);
});

test("one lane nearby, four far away, and no decision on one measurement", () => {
  expect([[], [40], [40, 44], [40, 44, 41], [2], [40, 3]].map(laneCount)).toEqual([null, null, null, 4, 1, 1]);
});
