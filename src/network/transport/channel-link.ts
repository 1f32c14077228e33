/**
 * A link over a data channel, or over anything that looks like one.
 *
 * Binary messages are frames. Text messages are the link's own, few and short: a greeting, since `open` events can be
 * lost while a channel is transferred to a worker, and a farewell that carries the reason. Nobody polls: the queue
 * waits for `bufferedamountlow`. Ends at the frame: what is in one is not looked at.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { DeadlineError, OptionError, PeerLostError, ProtocolError } from "../../base/errors.ts";
import type { HearthError } from "../../base/errors.ts";
import { withDeadline } from "../../base/wait.ts";
import type { WaitOptions } from "../../base/wait.ts";
import { deferred } from "../deferred.ts";
import type { Deferred } from "../deferred.ts";
import { PROTOCOL_VERSION } from "../wire/messages.ts";
import type { Channel } from "./channel.ts";
import { frameRulesOf } from "./frame-rules.ts";
import type { Link, LinkStats, PathKind, PeerId } from "./transport.ts";

/** What a peer may send before anybody listens. */
const HELD_BYTES_MAX = 8 * 1024 * 1024;
const HELLO_REPEAT_MS = 250;
const TEXT_CHARACTERS_MAX = 300;

interface Queued {
  readonly frame: Bytes;
  readonly resolve: () => void;
  readonly reject: (error: HearthError) => void;
}

interface LinkOptions {
  readonly peer: PeerId;
  readonly path: PathKind;
  readonly clock: Clock;
}

/**
 * A link that both sides have confirmed. Call it in the task that got the channel: its handlers must be in place
 * before the first message. @throws DeadlineError, PeerLostError, AbortedError, ProtocolError (another version)
 */
export async function openChannelLink(channel: Channel, options: LinkOptions, wait: WaitOptions): Promise<Link> {
  const link = new ChannelLink(channel, options);
  try {
    await withDeadline(`greeting peer ${options.peer}`, link.greeted, options.clock, wait);
  } catch (error) {
    link.close("no greeting");
    throw error;
  }
  return link;
}

class ChannelLink implements Link {
  readonly peer: PeerId;
  readonly path: PathKind;
  readonly frameBytesMax: number;
  readonly stats: { -readonly [K in keyof LinkStats]: LinkStats[K] };
  /** Settles when the other side is known to listen, or never will. */
  readonly greeted: Promise<void>;

  readonly #queuedBytesMax: number;
  readonly #channel: Channel;
  readonly #clock: Clock;
  #isGreeted = false;
  readonly #greeting = deferred<void>();
  #stopHello: () => void = () => {};
  readonly #probes = new Set<Deferred<void>>();
  /** When pings left that nobody has answered yet, oldest first. */
  readonly #pingedAtMs: number[] = [];
  #queue: Queued[] = [];
  #held: Bytes[] = [];
  #heldBytes = 0;
  #receive: ((message: Bytes) => void) | null = null;
  #closedReason: string | null = null;
  #closeListeners: ((reason: string) => void)[] = [];

  constructor(channel: Channel, { peer, path, clock }: LinkOptions) {
    this.peer = peer;
    this.path = path;
    const { frameBytesMax, queuedBytesMax, queuedBytesLow } = frameRulesOf(path);
    this.frameBytesMax = frameBytesMax;
    this.#queuedBytesMax = queuedBytesMax;
    this.#channel = channel;
    this.#clock = clock;
    this.stats = { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0, framesDropped: 0 };
    this.greeted = this.#greeting.promise;
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = queuedBytesLow;
    channel.onmessage = (event) => this.#onMessage(event.data as unknown);
    channel.onbufferedamountlow = () => {
      this.#showLife();
      this.#pump();
    };
    channel.onopen = () => this.#greet();
    channel.onclose = () => this.#closed("the channel closed");
    this.#greet();
  }

  get isOpen(): boolean {
    return this.#isGreeted && this.#closedReason === null;
  }

  send(frame: Bytes): Promise<void> {
    if (this.#closedReason !== null) return Promise.reject(this.#lost());
    if (frame.byteLength > this.frameBytesMax) {
      const found = `expected at most ${this.frameBytesMax} bytes, found ${frame.byteLength}`;
      return Promise.reject(new OptionError(`link to ${this.peer}: send: ${found}`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ frame, resolve, reject });
      this.#pump();
    });
  }

  async probe(options: WaitOptions): Promise<void> {
    if (this.#closedReason !== null) throw this.#lost();
    const sign = deferred<void>();
    const queuedBytes = this.#channel.bufferedAmount;
    this.#probes.add(sign);
    this.#pingedAtMs.push(this.#clock.nowMs());
    this.#say("ping");
    try {
      await withDeadline(`sign of life of peer ${this.peer}`, sign.promise, this.#clock, options);
    } catch (error) {
      // On a slow path the ping still waits behind what was queued before it; but it moves.
      if (!(error instanceof DeadlineError) || this.#channel.bufferedAmount >= queuedBytes) throw error;
    } finally {
      this.#probes.delete(sign);
    }
  }

  onMessage(receive: (message: Bytes) => void): void {
    this.#receive = receive;
    const held = this.#held;
    this.#held = [];
    for (const message of held) receive(message);
  }

  onClose(closed: (reason: string) => void): void {
    if (this.#closedReason === null) this.#closeListeners.push(closed);
    else closed(this.#closedReason);
  }

  close(reason: string): void {
    if (this.#closedReason !== null) return;
    this.#say(`bye ${reason.slice(0, TEXT_CHARACTERS_MAX - 10)}`);
    this.#closed(reason);
    this.#channel.close();
  }

  /** Hands over what fits; `bufferedamountlow` calls again for the rest. */
  #pump(): void {
    while (this.#queue.length > 0 && this.#channel.bufferedAmount <= this.#queuedBytesMax) {
      const { frame, resolve } = this.#queue[0] as Queued;
      const bytes = frame.byteLength; // Read first: sending may transfer the buffer away.
      try {
        this.#channel.send(frame);
      } catch {
        // Full, whatever its bufferedAmount says: the event will come. Or no longer open: so will `close`.
        return;
      }
      this.stats.bytesSent += bytes;
      this.stats.framesSent += 1;
      this.#queue.shift();
      resolve();
    }
  }

  /** Says hello until somebody answers. */
  #greet(): void {
    this.#stopHello();
    if (this.#isGreeted || this.#closedReason !== null) return;
    this.#say(`hello ${PROTOCOL_VERSION}`);
    this.#stopHello = this.#clock.after(HELLO_REPEAT_MS, () => this.#greet());
  }

  #onMessage(data: unknown): void {
    if (this.#closedReason !== null) return;
    this.#showLife();
    if (typeof data === "string") return this.#onText(data);
    if (!(data instanceof ArrayBuffer) || data.byteLength > this.frameBytesMax) {
      this.stats.framesDropped += 1;
      return;
    }
    this.stats.bytesReceived += data.byteLength;
    this.stats.framesReceived += 1;
    const message = new Uint8Array(data);
    if (this.#receive !== null) return this.#receive(message);
    this.#held.push(message);
    this.#heldBytes += message.byteLength;
    if (this.#heldBytes > HELD_BYTES_MAX) this.close("sent too much before anybody listened");
  }

  #onText(text: string): void {
    const [word, rest] = splitOnce(text.slice(0, TEXT_CHARACTERS_MAX));
    if (word === "bye") {
      this.#closed(`the peer said: ${rest}`);
      this.#channel.close();
    } else if (word === "hello" || word === "ack") {
      if (rest !== `${PROTOCOL_VERSION}`) return this.#refuse(rest);
      if (word === "hello") this.#say(`ack ${PROTOCOL_VERSION}`);
      this.#isGreeted = true;
      this.#stopHello();
      this.#greeting.resolve();
    } else if (word === "ping") {
      this.#say("pong");
    } else if (word === "pong") {
      const sentMs = this.#pingedAtMs.shift();
      if (sentMs !== undefined) this.stats.roundTripMs = this.#clock.nowMs() - sentMs;
    } else {
      this.stats.framesDropped += 1;
    }
  }

  #showLife(): void {
    for (const sign of this.#probes) sign.resolve();
  }

  #refuse(version: string): void {
    const found = `expected protocol version ${PROTOCOL_VERSION}, found ${version.slice(0, 20)}`;
    this.#greeting.reject(new ProtocolError(`greeting peer ${this.peer}: ${found}`));
    this.close(found);
  }

  #say(text: string): void {
    if (this.#channel.readyState !== "open") return;
    try {
      this.#channel.send(text);
    } catch {
      // Closing under our feet: `close` follows, or the greeting's deadline.
    }
  }

  #closed(reason: string): void {
    if (this.#closedReason !== null) return;
    this.#closedReason = reason;
    this.#stopHello();
    const queue = this.#queue;
    this.#queue = [];
    for (const { reject } of queue) reject(this.#lost());
    for (const { reject } of this.#probes) reject(this.#lost());
    this.#greeting.reject(this.#lost());
    this.greeted.catch(() => {}); // Whoever greets hears it; after the greeting nobody does.
    for (const listener of this.#closeListeners) listener(reason);
    this.#closeListeners = [];
  }

  #lost(): PeerLostError {
    return new PeerLostError(
      this.peer,
      `link to ${this.peer}: expected an open link, found it closed: ${this.#closedReason}`,
    );
  }
}

function splitOnce(text: string): [string, string] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
}
