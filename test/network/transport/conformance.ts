/** What every transport must do, run against each: `describeTransport(name, make)`. */
import { afterEach, describe, expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { AbortedError, DeadlineError, OptionError, PeerLostError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Link, PathKind, Transport } from "../../../src/network/transport/transport.ts";

/** A small world of peers that can reach one another. */
export interface World {
  readonly path: PathKind;
  join(peer: string): Transport;
  /** `promise`, with time running. */
  run<T>(promise: Promise<T>): Promise<T>;
  /** Lets at least `ms` pass. */
  pass(ms: number): Promise<void>;
  end(): void;
}

const SEED = 20_260_105;
const WAIT = { deadlineMs: 8_000 };

export function describeTransport(name: string, make: () => World): void {
  describe(name, () => {
    let world: World;
    let transports: Transport[] = [];
    const begin = (...peers: string[]): Transport[] => {
      world = make();
      transports = peers.map((peer) => world.join(peer));
      return transports;
    };
    /** Two peers with a link, dialled by the first. */
    const linked = async (): Promise<[Link, Link, Transport, Transport]> => {
      const [a, b] = begin("a", "b") as [Transport, Transport];
      const accepted = new Promise<Link>((resolve) => b.onLink(resolve));
      const near = await world.run(a.connect("b", WAIT));
      return [near, await world.run(accepted), a, b];
    };
    afterEach(() => {
      for (const transport of transports) transport.close();
      world.end();
    });

    test("a dial opens a link on both sides, and each knows the other", async () => {
      const [near, far, a, b] = await linked();
      expect([near.peer, far.peer]).toEqual(["b", "a"]);
      expect([near.isOpen, far.isOpen]).toEqual([true, true]);
      expect([near.path, far.path]).toEqual([world.path, world.path]);
      expect([a.self, b.self]).toEqual(["a", "b"]);
    });

    test("the peer whose id sorts last can dial as well", async () => {
      const [a, b] = begin("a", "b") as [Transport, Transport];
      const accepted = new Promise<Link>((resolve) => a.onLink(resolve));
      const near = await world.run(b.connect("a", WAIT));
      expect((await world.run(accepted)).peer).toBe("b");
      expect(near.peer).toBe("a");
    });

    test("a second connect gives the same link, on either side", async () => {
      const [near, far, a, b] = await linked();
      expect(await world.run(a.connect("b", WAIT))).toBe(near);
      expect(await world.run(b.connect("a", WAIT))).toBe(far);
    });

    test("two peers that dial at the same time end with one link that works both ways", async () => {
      const [a, b] = begin("a", "b") as [Transport, Transport];
      const [near, far] = await world.run(Promise.all([a.connect("b", WAIT), b.connect("a", WAIT)]));
      expect(await echo(world, near, far)).toBe(true);
      expect(await echo(world, far, near)).toBe(true);
      await world.pass(50);
      expect([near.isOpen, far.isOpen]).toEqual([true, true]);
    });

    test("four peers that dial all others at once end with a link for each pair", async () => {
      const all = begin("a", "b", "c", "d");
      const links = await world.run(
        Promise.all(all.flatMap((one) => all.filter((two) => two !== one).map((two) => one.connect(two.self, WAIT)))),
      );
      expect(links.map((link) => link.peer).join("")).toBe("bcdacdabdabc");
      await world.pass(50);
      expect(links.every((link) => link.isOpen)).toBe(true);
    });

    test("frames arrive whole, once and in order, whatever their size, sent without waiting", async () => {
      const [near, far] = await linked();
      const random = new Random(SEED, name);
      const sizes = [
        0,
        1,
        35,
        36,
        65_536,
        near.frameBytesMax,
        ...Array.from({ length: 60 }, () => random.below(9_000)),
      ];
      const sent = sizes.map((size) => filled(random, size));
      const received = collect(far, sent.length);
      const done = Promise.all(sent.map((frame) => near.send(frame.slice())));
      expect((await world.run(received)).map(digest)).toEqual(sent.map(digest));
      await world.run(done);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      expect([near.stats.framesSent, near.stats.bytesSent]).toEqual([sent.length, total]);
      expect([far.stats.framesReceived, far.stats.bytesReceived]).toEqual([sent.length, total]);
    });

    test("frames that come before anybody listens are kept in order", async () => {
      const [near, far] = await linked();
      for (let value = 0; value < 20; value++) await world.run(near.send(Uint8Array.of(value)));
      await world.pass(50);
      const received = await world.run(collect(far, 20));
      expect(received.map((message) => message[0])).toEqual(Array.from({ length: 20 }, (_, value) => value));
    });

    test("a sender of 12 MB is held back while they travel, and all of them arrive", async () => {
      const [near, far] = await linked();
      const count = 192;
      const received = collect(far, count);
      let handedOver = 0;
      const frames = Array.from({ length: count }, (_, at) => new Uint8Array(64 * 1024).fill(at));
      const sends = frames.map((frame) => near.send(frame).then(() => handedOver++));
      await Promise.resolve();
      const handedOverAtOnce = handedOver;
      expect(handedOverAtOnce).toBeLessThan(32); // 2 MB of 12.
      const messages = await world.run(received);
      expect(messages.map((message) => message[65_535])).toEqual(Array.from({ length: count }, (_, at) => at & 0xff));
      await world.run(Promise.all(sends));
    });

    test("a frame that is too large is refused and the link lives on", async () => {
      const [near, far] = await linked();
      await expect(near.send(new Uint8Array(near.frameBytesMax + 1))).rejects.toThrow(OptionError);
      expect(await echo(world, near, far)).toBe(true);
    });

    test("closing tells both sides once, with the reason, after the frames before it", async () => {
      const [near, far] = await linked();
      const reasons: string[] = [];
      const messages: Bytes[] = [];
      near.onClose((reason) => reasons.push(`near: ${reason}`));
      const told = new Promise<void>((resolve) => {
        far.onClose((reason) => {
          reasons.push(`far: ${reason} after ${messages.length}`);
          resolve();
        });
      });
      far.onMessage((message) => messages.push(message));
      await world.run(near.send(Uint8Array.of(1)));
      near.close("enough");
      near.close("twice");
      await world.run(told);
      await world.pass(20);
      expect(reasons).toEqual(["near: enough", "far: the peer said: enough after 1"]);
      expect([near.isOpen, far.isOpen]).toEqual([false, false]);
      await expect(near.send(Uint8Array.of(2))).rejects.toThrow(PeerLostError);
      await expect(far.send(Uint8Array.of(2))).rejects.toThrow(PeerLostError);
    });

    test("who asks late is told at once that a link is closed", async () => {
      const [near] = await linked();
      near.close("early");
      let reason = "";
      near.onClose((why) => (reason = why));
      expect(reason).toBe("early");
    });

    test("sends that wait for room are rejected when the link closes", async () => {
      const [near] = await linked();
      const sends = Array.from({ length: 100 }, () => near.send(new Uint8Array(64 * 1024)));
      const results = Promise.allSettled(sends);
      near.close("done");
      const last = (await world.run(results)).at(-1);
      expect(last?.status).toBe("rejected");
      expect((last as PromiseRejectedResult).reason).toBeInstanceOf(PeerLostError);
    });

    test("after a disconnect the next connect makes a new link", async () => {
      const [near, far, a, b] = await linked();
      const accepted = new Promise<Link>((resolve) => b.onLink(resolve));
      a.disconnect("b", "again");
      expect(near.isOpen).toBe(false);
      const next = await world.run(a.connect("b", WAIT));
      expect(next).not.toBe(near);
      const nextFar = await world.run(accepted);
      expect(nextFar).not.toBe(far);
      expect(await echo(world, next, nextFar)).toBe(true);
      await world.pass(20);
      expect(far.isOpen).toBe(false);
    });

    test("a connect to nobody ends in its deadline", async () => {
      const [a] = begin("a") as [Transport];
      const result = world.run(a.connect("nobody", { deadlineMs: 300 }));
      await expect(result).rejects.toSatisfy((e) => e instanceof DeadlineError || e instanceof PeerLostError);
    });

    test("a connect ends when its signal aborts, and when the transport closes", async () => {
      const [a] = begin("a") as [Transport];
      const controller = new AbortController();
      const aborted = a.connect("nobody", { ...WAIT, signal: controller.signal });
      controller.abort();
      await expect(world.run(aborted)).rejects.toThrow(AbortedError);
      const closed = a.connect("nobody", WAIT);
      a.close();
      await expect(world.run(closed)).rejects.toThrow(AbortedError);
      await expect(world.run(a.connect("b", WAIT))).rejects.toThrow(AbortedError);
    });

    test("a connect to itself is refused", async () => {
      const [a] = begin("a") as [Transport];
      await expect(world.run(a.connect("a", WAIT))).rejects.toThrow(OptionError);
    });
  });
}

/** The next `count` messages. */
function collect(link: Link, count: number): Promise<Bytes[]> {
  return new Promise((resolve) => {
    const messages: Bytes[] = [];
    link.onMessage((message) => {
      messages.push(message);
      if (messages.length === count) resolve(messages);
    });
  });
}

async function echo(world: World, from: Link, to: Link): Promise<boolean> {
  const received = collect(to, 1);
  await world.run(from.send(Uint8Array.of(7, 8, 9)));
  return (await world.run(received))[0]?.join() === "7,8,9";
}

function filled(random: Random, size: number): Bytes {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1 + random.below(50)) bytes[at] = random.below(256);
  return bytes;
}

function digest(bytes: Bytes): string {
  let sum = 7;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0;
  return `${bytes.byteLength}:${sum}`;
}
