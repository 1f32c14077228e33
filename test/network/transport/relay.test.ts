/** The relay over real sockets: the suite of all transports, and what only it has to promise. */
import { randomBytes } from "node:crypto";
import { afterAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { systemClock } from "../../../src/base/clock.ts";
import { DeadlineError, ProtocolError } from "../../../src/base/errors.ts";
import { sleep } from "../../../src/base/wait.ts";
import { decodeEnvelope, encodeEnvelope, type RelayNotice } from "../../../src/network/wire/relay-message.ts";
import type { Link, PeerId, Transport } from "../../../src/network/transport/transport.ts";
import type { Identity } from "../../../src/network/transport/websocket-relay/identity.ts";
import { RelayTransport } from "../../../src/network/transport/websocket-relay/relay-transport.ts";
import { identities, openSocket, testRelay } from "../support/relay.ts";
import { describeTransport } from "./conformance.ts";

const relay = await testRelay();
const four = await identities(4);
const [alice, bob] = four as [Identity, Identity];
const WAIT = { deadlineMs: 5_000 };
let rooms = 0;

afterAll(() => relay.end());

describeTransport("websocket relay", () => {
  const room = `room-${(rooms += 1)}`;
  return {
    path: "relay",
    join: (name) => {
      const identity = four["abcd".indexOf(name)] as Identity;
      return new Renamed(name, relay.join(room, identity));
    },
    run: (promise) => promise,
    pass: (ms) => sleep(ms, systemClock),
    end: () => {},
  };
});

/** A transport whose peers are called a, b, c and d: real ids are hashes of keys. */
class Renamed implements Transport {
  readonly self: PeerId;
  readonly #inner: Transport;
  readonly #links = new WeakMap<Link, Link>();

  constructor(self: string, inner: Transport) {
    this.self = self;
    this.#inner = inner;
  }

  async connect(peer: PeerId, options: Parameters<Transport["connect"]>[1]): Promise<Link> {
    return this.#renamed(await this.#inner.connect(realName(peer), options));
  }

  onLink(accept: (link: Link) => void): void {
    this.#inner.onLink((link) => accept(this.#renamed(link)));
  }

  disconnect(peer: PeerId, reason: string): void {
    this.#inner.disconnect(realName(peer), reason);
  }

  close(): void {
    this.#inner.close();
  }

  #renamed(link: Link): Link {
    const known = this.#links.get(link);
    if (known !== undefined) return known;
    const name = "abcd"[four.findIndex(({ peer }) => peer === link.peer)] ?? link.peer;
    const made = new Proxy(link, {
      get(target, property) {
        if (property === "peer") return name;
        const value = Reflect.get(target, property, target) as unknown;
        return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      },
    });
    this.#links.set(link, made);
    return made;
  }
}

function realName(name: string): string {
  return four["abcd".indexOf(name)]?.peer ?? `tab-${"0".repeat(40)}`;
}

/** Two linked peers, and everything that the server saw. */
async function watched(tamper: Tamper = (bytes) => [bytes]): Promise<Watched> {
  const seen: Buffer[] = [];
  const room = `room-${(rooms += 1)}`;
  const make = (identity: Identity): RelayTransport => {
    const transport = new RelayTransport({
      identity,
      clock: systemClock,
      random: randomBytes,
      open: (url) => {
        const socket = openSocket(url);
        const { send } = socket;
        socket.send = (data) => {
          if (typeof data === "string") return send.call(socket, data);
          seen.push(Buffer.from(data));
          for (const bytes of tamper(data, identity.peer)) send.call(socket, bytes);
        };
        return socket;
      },
    });
    transport.admit({ url: relay.url, ticket: relay.ticket(room, identity.peer) });
    return transport;
  };
  const [a, b] = [make(alice), make(bob)];
  const end = (): void => [a, b].forEach((transport) => transport.close());
  const accepted = new Promise<Link>((resolve) => b.onLink(resolve));
  const near = await a.connect(bob.peer, WAIT);
  return { near, far: await accepted, seen, end, a, b };
}

type Tamper = (bytes: Uint8Array<ArrayBuffer>, from: PeerId) => Uint8Array<ArrayBuffer>[];

interface Watched {
  readonly a: RelayTransport;
  readonly b: RelayTransport;
  readonly near: Link;
  readonly far: Link;
  readonly seen: Buffer[];
  end(): void;
}

test("the server sees no byte of a frame, nor the same bytes twice", async () => {
  const { near, far, seen, end } = await watched();
  const frame = new TextEncoder().encode("gradients, gradients, gradients!".repeat(100));
  const received = new Promise<void>((resolve) => {
    let left = 2;
    far.onMessage(() => ((left -= 1) === 0 ? resolve() : undefined));
  });
  await near.send(frame.slice());
  await near.send(frame.slice());
  await received;
  const all = Buffer.concat(seen);
  expect(all.byteLength).toBeGreaterThan(2 * frame.byteLength);
  expect(all.includes("gradients")).toBe(false);
  const large = seen.filter(({ byteLength }) => byteLength > frame.byteLength);
  expect(large.length).toBe(2);
  expect(large[0]?.subarray(-200).equals(large[1]?.subarray(-200) ?? Buffer.alloc(0))).toBe(false);
  end();
});

test.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>[]]>([
  ["changed", (bytes) => [bytes.with(bytes.byteLength - 20, (bytes.at(-20) ?? 0) ^ 1)]],
  ["of another kind", (bytes) => [bytes.with(1 + alice.peer.length + 9, 1)]],
  ["left out", () => []],
  ["repeated", (bytes) => [bytes, bytes]],
])("a frame that was %s on its way is not taken, and ends the link", async (_, change) => {
  let count = 0;
  const { near, far, end } = await watched((bytes, from) => {
    const isFrame = from === alice.peer && bytes.byteLength > 1_000;
    return isFrame && (count += 1) === 2 ? change(bytes) : [bytes];
  });
  const messages: number[] = [];
  far.onMessage((message) => messages.push(message[0] ?? 0));
  const closed = Promise.all([near, far].map((link) => new Promise<string>((resolve) => link.onClose(resolve))));
  for (const value of [1, 2, 3]) await near.send(new Uint8Array(2_000).fill(value));
  expect(await closed).toEqual(["the channel closed", "the channel closed"]);
  expect([[1], [1, 2]]).toContainEqual(messages);
  end();
});

test("whoever answers with another key than the one that a peer is named after is found out", async () => {
  const room = `room-${(rooms += 1)}`;
  const [mallory] = (await identities(1)) as [Identity];
  const a = relay.join(room, alice);
  // The server would have to give this ticket to somebody else: as a malicious one may.
  const b = relay.join(room, { ...mallory, peer: bob.peer });
  await sleep(100, systemClock);
  await expect(a.connect(bob.peer, { deadlineMs: 2_000 })).rejects.toThrow(ProtocolError);
  await expect(b.connect(alice.peer, { deadlineMs: 700 })).rejects.toThrow(DeadlineError);
  for (const transport of [a, b]) transport.close();
});

test("links end when the relay goes, and are made anew when it is back", async () => {
  const { a, near, far, end } = await watched();
  const closed = Promise.all([near, far].map((link) => new Promise((resolve) => link.onClose(resolve))));
  relay.cut();
  await closed;
  const again = await a.connect(bob.peer, WAIT);
  expect(again.isOpen).toBe(true);
  end();
});

test("whoever stays hears at once that the other one is gone", async () => {
  const { b, near, end } = await watched();
  const closed = new Promise((resolve) => near.onClose(resolve));
  b.close();
  expect(await closed).toMatch(/the channel closed|the peer said/);
  end();
});

/** A client without manners: what it hears, and how it ends. */
async function rude(ticket: string | null, url: string = relay.url): Promise<Rude> {
  const socket = new WebSocket(url);
  const notices: RelayNotice[] = [];
  const passed: { peer: string; body: Buffer }[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) passed.push(decodeEnvelope(data));
    else notices.push(JSON.parse(data.toString()) as RelayNotice);
  });
  socket.on("error", () => {});
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise((resolve) => socket.on("open", resolve));
  if (ticket !== null) socket.send(JSON.stringify({ kind: "hello", ticket }));
  return { socket, notices, passed, closed };
}

interface Rude {
  readonly socket: WebSocket;
  readonly notices: RelayNotice[];
  readonly passed: { peer: string; body: Buffer }[];
  readonly closed: Promise<number>;
}

test.each<[string, () => string | Uint8Array, RegExp]>([
  ["a ticket that nobody issued", () => hello(`room.p.${Date.now() + 9e5}.${"0".repeat(64)}`), /does not know/],
  ["a ticket for another name", () => hello(relay.ticket("room", "p").replace(".p.", ".q.")), /does not know/],
  ["a ticket that has ended", () => hello(relay.ticket("room", "p", -1)), /has ended/],
  ["no hello", () => encodeEnvelope("p", [Uint8Array.of(1)]), /expected a hello first/],
  ["no message at all", () => "how do you do", /relay hello/],
])("%s is refused with one sentence and closed", async (_, message, sentence) => {
  const { socket, notices, closed } = await rude(null);
  socket.send(message());
  expect(await closed).toBe(1008);
  expect(notices).toEqual([{ kind: "refused", reason: expect.stringMatching(sentence) as string }]);
});

function hello(ticket: string): string {
  return JSON.stringify({ kind: "hello", ticket });
}

test("nothing passes between rooms, and one name has one connection", async () => {
  const first = await rude(relay.ticket("one", "p"));
  const other = await rude(relay.ticket("two", "q"));
  await sleep(30, systemClock);
  other.socket.send(encodeEnvelope("p", [Uint8Array.of(1)]));
  await sleep(50, systemClock);
  expect(first.passed).toEqual([]);
  expect(other.notices).toEqual([{ kind: "welcome" }, { kind: "gone", peer: "p" }]);
  const second = await rude(relay.ticket("one", "p"));
  expect(await first.closed).toBe(1008);
  expect(first.notices.at(-1)).toMatchObject({ kind: "refused" });
  for (const { socket } of [other, second]) socket.terminate();
});

test("whoever sends without being acknowledged is refused, and what waited goes with the receiver", async () => {
  const strict = await testRelay({ pairBytesMax: 1024 * 1024 });
  const sender = await rude(strict.ticket("one", "p"), strict.url);
  const receiver = await rude(strict.ticket("one", "q"), strict.url);
  await sleep(30, systemClock);
  receiver.socket.pause();
  const message = encodeEnvelope("q", [new Uint8Array(200_000)]);
  // The operating system's own queues take megabytes before the server has to keep anything.
  for (let sent = 0; sent < 200 && sender.socket.readyState === WebSocket.OPEN; sent++) {
    sender.socket.send(message);
    await sleep(1, systemClock);
  }
  expect(await sender.closed).toBe(1008);
  expect(sender.notices.at(-1)).toMatchObject({ reason: expect.stringMatching(/wait for one peer/) as string });
  expect(strict.sockets.waitingBytes).toBeLessThanOrEqual(1024 * 1024);
  expect(strict.sockets.waitingBytes).toBeGreaterThan(0);
  receiver.socket.terminate();
  await sleep(100, systemClock);
  expect(strict.sockets.waitingBytes).toBe(0);
  await strict.end();
});

test("whoever is faster than its rate is read more slowly, and loses nothing", async () => {
  const bytesPerSecond = 4 * 1024 * 1024;
  const slow = await testRelay({ bytesPerSecond, burstBytes: 1024 * 1024 });
  const [a, b] = [alice, bob].map((identity) => slow.join("one", identity)) as [RelayTransport, RelayTransport];
  const accepted = new Promise<Link>((resolve) => b.onLink(resolve));
  const near = await a.connect(bob.peer, WAIT);
  const far = await accepted;
  const count = 80;
  const received = new Promise<void>((resolve) => {
    let left = count;
    far.onMessage(() => ((left -= 1) === 0 ? resolve() : undefined));
  });
  const startMs = systemClock.nowMs();
  await Promise.all(Array.from({ length: count }, () => near.send(new Uint8Array(64 * 1024))));
  await received;
  // 5 MiB, of which 1 MiB may go ahead: 4 MiB at 4 MiB/s, and timers are never early.
  expect(systemClock.nowMs() - startMs).toBeGreaterThan(950);
  for (const transport of [a, b]) transport.close();
  await slow.end();
});
