import { expect, test } from "vitest";
import { DeadlineError, PeerLostError, ProtocolError } from "../../../src/base/errors.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Channel } from "../../../src/network/transport/channel.ts";
import { openChannelLink } from "../../../src/network/transport/channel-link.ts";
import type { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";
import { PROTOCOL_VERSION } from "../../../src/network/wire/messages.ts";
import { virtualClock } from "../support/virtual.ts";

const WAIT = { deadlineMs: 5_000 };

/** A channel whose every event the test makes itself. */
class BareChannel implements Channel {
  readyState: RTCDataChannelState = "connecting";
  bufferedAmount: number = 0;
  bufferedAmountLowThreshold: number = 0;
  binaryType: BinaryType = "blob";
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: Event) => void) | null = null;
  onbufferedamountlow: ((event: Event) => void) | null = null;
  readonly sent: (string | Bytes)[] = [];
  /** Throws like a full queue while set. */
  isFull: boolean = false;

  send(data: string | Bytes): void {
    if (this.isFull) throw new DOMException("full", "OperationError");
    this.sent.push(data);
    if (typeof data !== "string") this.bufferedAmount += data.byteLength;
  }

  close(): void {
    this.readyState = "closed";
  }

  hear(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  /** Everything left the queue. */
  drain(): void {
    this.isFull = false;
    this.bufferedAmount = 0;
    this.onbufferedamountlow?.(new Event("bufferedamountlow"));
  }
}

function begin(clock: VirtualClock, channel: BareChannel) {
  return openChannelLink(channel, { peer: "b", path: "webrtc", clock }, WAIT);
}

async function opened(): Promise<{
  clock: VirtualClock;
  channel: BareChannel;
  link: Awaited<ReturnType<typeof begin>>;
}> {
  const clock = virtualClock();
  const channel = new BareChannel();
  channel.readyState = "open";
  const link = begin(clock, channel);
  channel.hear(`ack ${PROTOCOL_VERSION}`);
  return { clock, channel, link: await clock.run(link) };
}

test("a lost open event does no harm: hello is said again until it is answered", async () => {
  const clock = virtualClock();
  const channel = new BareChannel();
  const link = begin(clock, channel);
  await clock.advance(600);
  expect(channel.sent).toEqual([]);
  channel.readyState = "open"; // And no event.
  await clock.advance(600);
  expect(channel.sent).toEqual([`hello ${PROTOCOL_VERSION}`, `hello ${PROTOCOL_VERSION}`]);
  channel.hear(`hello ${PROTOCOL_VERSION}`);
  expect((await clock.run(link)).isOpen).toBe(true);
  await clock.advance(2_000);
  expect(channel.sent).toEqual([`hello ${PROTOCOL_VERSION}`, `hello ${PROTOCOL_VERSION}`, `ack ${PROTOCOL_VERSION}`]);
});

test("a channel that nobody answers on ends in its deadline and is closed", async () => {
  const clock = virtualClock();
  const channel = new BareChannel();
  await expect(clock.run(begin(clock, channel))).rejects.toThrow(DeadlineError);
  expect(channel.readyState).toBe("closed");
  const closing = new BareChannel();
  const link = begin(clock, closing);
  closing.onclose?.(new Event("close"));
  await expect(clock.run(link)).rejects.toThrow(PeerLostError);
});

test("a peer of another version is refused with both versions named, and told so", async () => {
  const clock = virtualClock();
  const channel = new BareChannel();
  channel.readyState = "open";
  const link = begin(clock, channel);
  channel.hear("hello 7");
  const error: unknown = await clock.run(link).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ProtocolError);
  expect((error as Error).message).toBe(`greeting peer b: expected protocol version ${PROTOCOL_VERSION}, found 7`);
  expect(channel.sent.at(-1)).toBe(`bye expected protocol version ${PROTOCOL_VERSION}, found 7`);
});

test("words it does not know, and messages of other kinds, are counted and ignored", async () => {
  const { channel, link } = await opened();
  const heard: Bytes[] = [];
  link.onMessage((message) => heard.push(message));
  for (const noise of ["", "x".repeat(100_000), 7, null, new Blob([]), { data: 1 }]) channel.hear(noise);
  channel.hear(new ArrayBuffer(link.frameBytesMax + 1));
  channel.hear(new ArrayBuffer(3));
  expect(heard.map((message) => message.byteLength)).toEqual([3]);
  expect(link.isOpen).toBe(true);
  expect(link.stats.framesDropped).toBe(7);
});

test("a queue that is full, whatever its count says, is tried again at the event and never lost or reordered", async () => {
  const { channel, link, clock } = await opened();
  channel.isFull = true;
  const done: number[] = [];
  for (const value of [1, 2, 3]) void link.send(Uint8Array.of(value)).then(() => done.push(value));
  await clock.advance(10_000); // No timer drives it.
  expect(done).toEqual([]);
  channel.drain();
  await clock.advance(0);
  expect(done).toEqual([1, 2, 3]);
  expect(channel.sent.slice(-3)).toEqual([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
});

test("it sends up to 1 MiB ahead and waits for the event below 256 KiB", async () => {
  const { channel, link, clock } = await opened();
  let done = 0;
  for (let count = 0; count < 40; count++) void link.send(new Uint8Array(64 * 1024)).then(() => done++);
  await clock.advance(0);
  expect(done).toBe(17); // The one that crosses the mark is handed over.
  expect(channel.bufferedAmountLowThreshold).toBe(256 * 1024);
  channel.drain();
  await clock.advance(0);
  expect(done).toBe(34);
});

test("a peer that sends too much before anybody listens is cut off", async () => {
  const { channel, link } = await opened();
  for (let count = 0; count < 33; count++) channel.hear(new ArrayBuffer(256 * 1024));
  expect(link.isOpen).toBe(false);
  expect(channel.sent.at(-1)).toBe("bye sent too much before anybody listened");
});

test("a sign of life is an answer, any message, or a queue that drains; silence is none", async () => {
  const { channel, link, clock } = await opened();
  const probe = () => link.probe({ deadlineMs: 1_000 });
  const answered = probe();
  channel.hear("pong");
  await clock.run(answered);
  const busy = probe();
  channel.hear(new ArrayBuffer(1));
  await clock.run(busy);
  channel.bufferedAmount = 900_000;
  const draining = probe();
  channel.bufferedAmount = 899_000;
  await clock.run(draining);
  await expect(clock.run(probe())).rejects.toThrow(DeadlineError);
  channel.hear("ping");
  expect(channel.sent.at(-1)).toBe("pong");
  const lost = probe();
  link.close("gone");
  await expect(clock.run(lost)).rejects.toThrow(PeerLostError);
  await expect(clock.run(probe())).rejects.toThrow(PeerLostError);
});
