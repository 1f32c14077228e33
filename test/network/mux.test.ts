import { expect, test } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { PeerLostError } from "../../src/base/errors.ts";
import { Random } from "../../src/base/random.ts";
import type { Mux } from "../../src/network/mux.ts";
import { Mux as MuxClass } from "../../src/network/mux.ts";
import { encodeFrame } from "../../src/network/wire/frame.ts";
import type { Frame } from "../../src/network/wire/frame.ts";
import { PROTOCOL_VERSION } from "../../src/network/wire/messages.ts";
import type { Link } from "../../src/network/transport/transport.ts";
import { swarm } from "./support/swarm.ts";
import { simulatedNetwork } from "./support/virtual.ts";

const SEED = 20_260_107;
const WAIT = { deadlineMs: 5_000 };

function dataFrame(change: Partial<Frame> = {}): Frame {
  return {
    type: "data",
    incarnation: 1,
    epoch: 1,
    operation: 1,
    chunk: 0,
    chunks: 1,
    payload: new Uint8Array([1, 2, 3]),
    ...change,
  };
}

/** A mux, and the bare link of a peer that may send it anything. */
async function hostile(options: { malformedFramesMax?: number; earlyBytesMax?: number } = {}) {
  const { network, clock } = simulatedNetwork(SEED);
  const mux = new MuxClass({ transport: network.join("mux"), ...options });
  const link = await clock.run(network.join("hostile").connect("mux", WAIT));
  const closed: string[] = [];
  link.onClose((reason) => closed.push(reason));
  const send = async (bytes: Bytes): Promise<void> => {
    await clock.run(link.send(bytes).catch(() => {}));
    await clock.advance(30);
  };
  return { mux, link, closed, send, clock, network };
}

const handlers = { members: ["mux", "hostile"], onLost: () => {} };

test("frames reach the operation they are for, and no other", async () => {
  const { mux, send } = await hostile();
  const seen: string[] = [];
  const route = mux.openFence({ ...handlers, fence: { incarnation: 1, epoch: 1 } });
  route.open(1, (from, frame) => seen.push(`1: ${from} ${frame.payload.join()}`));
  route.open(2, (from, frame) => seen.push(`2: ${from} ${frame.payload.join()}`));
  await send(encodeFrame(dataFrame()));
  await send(encodeFrame(dataFrame({ operation: 2, payload: new Uint8Array([9]) })));
  await send(encodeFrame(dataFrame({ operation: 3 })));
  expect(seen).toEqual(["1: hostile 1,2,3", "2: hostile 9"]);
  expect(Object.values(mux.stats().dropped).every((count) => count === 0)).toBe(true);
});

test("what is dropped is counted by reason", async () => {
  const { mux, send } = await hostile({ earlyBytesMax: 1_000 });
  const route = mux.openFence({ ...handlers, fence: { incarnation: 2, epoch: 5 } });
  mux.openFence({ members: ["mux"], onLost: () => {}, fence: { incarnation: 2, epoch: 6 } });
  const damaged = encodeFrame(dataFrame());
  damaged[40] = (damaged[38] as number) + 1;
  await send(damaged.slice(0, 20)); // malformed
  await send(new Uint8Array(100)); // malformed
  damaged[37] = 77;
  await send(damaged); // checksum... or length: both are damage
  await send(encodeFrame(dataFrame({ incarnation: 1, epoch: 9 }))); // stale
  await send(encodeFrame(dataFrame({ incarnation: 2, epoch: 4 }))); // stale
  await send(encodeFrame(dataFrame({ incarnation: 2, epoch: 6 }))); // stranger
  route.open(1, () => {})();
  await send(encodeFrame(dataFrame({ incarnation: 2, epoch: 5 }))); // stale: that operation has ended
  await send(encodeFrame(dataFrame({ type: "blobAnswer" }))); // unasked
  await send(encodeFrame(dataFrame({ incarnation: 3, payload: new Uint8Array(900) }))); // overflow: 900 and overhead
  expect(mux.stats().dropped).toEqual({
    malformed: 2,
    checksum: 1,
    version: 0,
    stale: 3,
    stranger: 1,
    unasked: 1,
    overflow: 1,
    duplicate: 0,
  });
});

test("early frames are bounded for each peer, whatever fences they name", async () => {
  const { mux, send, clock } = await hostile({ earlyBytesMax: 100_000 });
  for (let epoch = 1; epoch <= 50; epoch++) {
    await send(encodeFrame(dataFrame({ incarnation: epoch, payload: new Uint8Array(10_000) })));
  }
  await clock.advance(100);
  expect(mux.stats().dropped.overflow).toBe(41);
  // A newer fence frees the room that older ones took.
  mux.openFence({ ...handlers, fence: { incarnation: 40, epoch: 1 } });
  expect(mux.stats().dropped.stale).toBe(9);
  const got: Frame[] = [];
  await send(encodeFrame(dataFrame({ incarnation: 41, payload: new Uint8Array(90_000) })));
  mux.openFence({ ...handlers, fence: { incarnation: 41, epoch: 1 } }).open(1, (_, frame) => got.push(frame));
  expect(got.length).toBe(1);
});

test("a peer that sends 100 malformed frames is cut off with a reason; the 99 before do no harm", async () => {
  const { mux, send, closed, link } = await hostile();
  const random = new Random(SEED, "noise");
  const seen: Frame[] = [];
  mux.openFence({ ...handlers, fence: { incarnation: 1, epoch: 1 } }).open(1, (_, frame) => seen.push(frame));
  const noise = (): Bytes => Uint8Array.from({ length: random.below(200) }, () => random.below(256));
  for (let count = 0; count < 99; count++) await send(noise());
  expect(link.isOpen).toBe(true);
  await send(encodeFrame(dataFrame()));
  expect(seen.length).toBe(1);
  await send(noise());
  expect(closed).toEqual(["the peer said: peer hostile sent 100 malformed frames"]);
  expect(mux.isLinked("hostile")).toBe(false);
  expect(mux.stats().dropped.malformed).toBe(100);
});

test("a peer of another protocol version is cut off at its first frame, with both versions named", async () => {
  const { mux, send, closed } = await hostile();
  const frame = encodeFrame(dataFrame());
  new DataView(frame.buffer).setUint16(4, 9, true);
  await send(frame);
  expect(closed).toEqual([
    `the peer said: peer hostile sent a frame of another version: expected protocol version ${PROTOCOL_VERSION}, found 9`,
  ]);
  expect(mux.stats().dropped.version).toBe(1);
});

test("bytes are counted by category, payload and header, as they are handed over", async () => {
  const { run, mux } = await swarm(2, SEED);
  const sender = mux(0);
  await run(sender.send("peer-1", dataFrame(), "gradients"));
  await run(sender.send("peer-1", dataFrame({ payload: new Uint8Array(1_000) }), "optimizerReplica"));
  await run(sender.send("peer-1", dataFrame({ type: "grant", payload: new Uint8Array(0) }), "control"));
  const expected = { gradients: 39, parameters: 0, optimizerReplica: 1_036, checkpoint: 0, join: 0, control: 36 };
  expect(sender.bytesSent()).toEqual(expected);
  expect(sender.totalBytesSent()).toBe(39 + 1_036 + 36);
  expect(sender.stats().links["peer-1"]?.bytesSent).toBe(sender.totalBytesSent());
});

test("a lost link is told to its fences and to listeners, once", async () => {
  const { network, clock, mux } = await swarm(3, SEED);
  const lost: string[] = [];
  const first = mux(0);
  first.onLost((peer) => lost.push(`listener ${peer}`));
  const onLost = (peer: string): void => void lost.push(`fence ${peer}`);
  first.openFence({ fence: { incarnation: 1, epoch: 1 }, members: ["peer-0", "peer-1"], onLost });
  network.breakLinks("peer-0", "peer-1");
  network.breakLinks("peer-0", "peer-2");
  await clock.advance(100);
  expect(lost).toEqual(["fence peer-1", "listener peer-1", "listener peer-2"]);
  expect(first.paths()).toEqual({});
  await expect(first.send("peer-1", dataFrame(), "control")).rejects.toThrow(PeerLostError);
});

test("a redial replaces the link, and what was under way over the old one counts as lost", async () => {
  const { network, clock, run, mux } = await swarm(2, SEED);
  const lost: string[] = [];
  mux(0).onLost((peer, reason) => lost.push(`${peer}: ${reason}`));
  mux(1).disconnect("peer-0", "not heard of for long");
  network.freeze("peer-0"); // Its side hears of it only after the new dial.
  const redial = mux(1).connect("peer-0", WAIT);
  await clock.advance(1_000);
  network.thaw("peer-0");
  await run(redial);
  await clock.advance(100);
  expect(lost.length).toBe(1);
  expect([mux(0).isLinked("peer-1"), mux(1).isLinked("peer-0")]).toEqual([true, true]);
});

test("connect gives up a link whose peer shows no sign of life, and dials anew when it is back", async () => {
  const { network, clock, run, mux } = await swarm(2, SEED);
  network.freeze("peer-1");
  const startMs = clock.nowMs();
  await expect(run(mux(0).connect("peer-1", { deadlineMs: 4_000 }))).rejects.toThrow(
    "connecting to peer peer-1: expected an end within",
  );
  expect(clock.nowMs() - startMs).toBeCloseTo(4_000);
  const again = mux(0).connect("peer-1", { deadlineMs: 8_000 });
  await clock.advance(1_000);
  network.thaw("peer-1");
  await run(again);
  await clock.advance(100);
  expect([mux(0).isLinked("peer-1"), mux(1).isLinked("peer-0")]).toEqual([true, true]);
  await run(mux(0).connect("peer-1", { deadlineMs: 100 })); // Now an answer comes at once.
});

test("a link that is busy in one direction only is alive: its queue drains", async () => {
  const { run, mux } = await swarm(2, SEED, { network: { bytesPerMs: 100 } });
  const sending = Array.from({ length: 20 }, () =>
    mux(0).send("peer-1", dataFrame({ operation: 5, payload: new Uint8Array(60_000) }), "gradients"),
  );
  const isLinked = run(mux(0).connect("peer-1", { deadlineMs: 12_000 })); // The ping waits behind 10 s of data.
  await isLinked;
  expect(mux(0).isLinked("peer-1")).toBe(true);
  await run(Promise.all(sending));
});

test("frames of a stranger reach no fence", async () => {
  const { run, mux } = await swarm(3, SEED);
  const heard: string[] = [];
  const open = (one: Mux, members: string[], epoch: number) =>
    one
      .openFence({ fence: { incarnation: 1, epoch }, members, onLost: () => {} })
      .open(1, (from) => heard.push(`${one.self} from ${from}`));
  open(mux(0), ["peer-0", "peer-1"], 1);
  open(mux(1), ["peer-0", "peer-1"], 1);
  open(mux(2), ["peer-2"], 1);
  await run(mux(0).send("peer-1", dataFrame(), "gradients"));
  await run(mux(2).send("peer-1", dataFrame(), "gradients"));
  await run(mux(0).connect("peer-1", WAIT));
  await run(mux(2).connect("peer-1", WAIT));
  expect(heard).toEqual(["peer-1 from peer-0"]);
  expect(mux(1).stats().dropped.stranger).toBe(1);
});

test("a message larger than a link may carry is refused before it is decoded", async () => {
  const { link, mux } = await hostile();
  const refused = (link as Link).send(new Uint8Array(link.frameBytesMax + 1));
  await expect(refused).rejects.toThrow(/expected at most 262144 bytes, found 262145/);
  expect(mux.stats().dropped.malformed).toBe(0);
});
