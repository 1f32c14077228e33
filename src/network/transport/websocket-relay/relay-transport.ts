/**
 * Links by way of the server, for pairs that nothing else connects. The server passes sealed bytes on: it sees who talks
 * to whom, when and how much, and can drop or delay it; it cannot read it, change it, or take a member's place.
 */
import { toHex, type Bytes } from "../../../base/bytes.ts";
import type { Clock } from "../../../base/clock.ts";
import { ProtocolError, type HearthError } from "../../../base/errors.ts";
import type { RandomSource } from "../../../base/random.ts";
import { ChannelTransport, type Connection, type Dial } from "../channel-transport.ts";
import type { PeerId } from "../transport.ts";
import { isKeyOf, PUBLIC_KEY_BYTES, sharedSecret, type Identity } from "./identity.ts";
import { RelayChannel } from "./relay-channel.ts";
import { RelayLine, type RelayAdmission, type RelaySocket } from "./relay-line.ts";
import { deriveSeals, NONCE_BYTES, type KeyContext } from "./sealing.ts";

/** `[type, key]`, then for a greeting nonce and public key, for a sealed message its kind and its bytes. */
const TYPE = { dial: 1, accept: 2, end: 3, sealed: 4 } as const;
const KEY_BYTES = 8;
const HEAD_BYTES = 1 + KEY_BYTES;
const GREETING_BYTES = HEAD_BYTES + NONCE_BYTES + PUBLIC_KEY_BYTES;

export interface RelayTransportOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  /** Unguessable bytes. */
  readonly random: RandomSource;
  readonly open: (url: string) => RelaySocket;
}

/** Reaches peers through the server, once `admit` was called. */
export class RelayTransport extends ChannelTransport {
  readonly #relay: Relay;

  constructor(options: RelayTransportOptions) {
    const relay = new Relay(options);
    super(options.identity.peer, options.clock, (peer, failed) => relay.dial(peer, failed));
    this.#relay = relay;
    relay.onIncoming = (peer, connection) => this.accept(peer, connection);
  }

  /** A ticket for the relay, or a fresh one. */
  admit(admission: RelayAdmission): void {
    this.#relay.line.admit(admission);
  }

  override close(): void {
    super.close();
    this.#relay.close();
  }
}

interface Call {
  readonly peer: PeerId;
  readonly key: Bytes;
  readonly channel: RelayChannel;
  /** Ours, while the other side has not answered. */
  readonly dialled: { readonly nonce: Bytes; readonly failed: (why: HearthError | string) => void } | null;
}

class Relay {
  readonly line: RelayLine;
  onIncoming: (peer: PeerId, connection: Connection) => void = () => {};
  readonly #options: RelayTransportOptions;
  readonly #calls = new Map<string, Call>();
  #isClosing = false;

  constructor(options: RelayTransportOptions) {
    this.#options = options;
    this.line = new RelayLine({
      clock: options.clock,
      open: options.open,
      onEnvelope: (peer, body) => this.#receive(peer, body),
      onGone: (peer) => this.#lose((call) => call.peer === peer, "the peer is not at the relay"),
      onDown: () => this.#lose(() => true, "the relay is away"),
    });
  }

  dial(peer: PeerId, failed: (why: HearthError | string) => void): Dial {
    if (!this.line.isOpen) {
      queueMicrotask(() => failed("the relay is away"));
      return { connection: new Promise(() => {}), abandon: () => {} };
    }
    const nonce = this.#random(NONCE_BYTES);
    const call = this.#call(peer, this.#random(KEY_BYTES), { nonce, failed });
    this.#greet(call, TYPE.dial, nonce);
    return { connection: Promise.resolve(connectionOver(call.channel)), abandon: () => this.#end(call) };
  }

  /** The line stays for what the channels still have to say. */
  close(): void {
    this.#isClosing = true;
    if (this.#calls.size === 0) this.line.close();
  }

  #random(count: number): Bytes {
    return new Uint8Array(this.#options.random(count));
  }

  #call(peer: PeerId, key: Bytes, dialled: Call["dialled"]): Call {
    const name = nameOf(peer, key);
    const channel = new RelayChannel({
      post: (kind, sealed) => this.line.send(peer, [Uint8Array.of(TYPE.sealed), key, Uint8Array.of(kind), sealed]),
      refuse: () => this.#refuse(peer, key),
      ended: () => this.#forget(name),
    });
    const call = { peer, key, channel, dialled };
    this.#calls.set(name, call);
    return call;
  }

  #forget(name: string): void {
    this.#calls.delete(name);
    if (this.#isClosing && this.#calls.size === 0) this.line.close();
  }

  #receive(peer: PeerId, body: Bytes): void {
    const type = body[0];
    const key = body.slice(1, HEAD_BYTES);
    const call = this.#calls.get(nameOf(peer, key));
    if (type === TYPE.sealed && body.byteLength > HEAD_BYTES) {
      if (call === undefined) this.#refuse(peer, key);
      else call.channel.receive(body[HEAD_BYTES] ?? 0, body.subarray(HEAD_BYTES + 1));
    } else if (type === TYPE.end) {
      call?.dialled?.failed("the peer ended it");
      call?.channel.end();
    } else if (type === TYPE.dial && call === undefined && body.byteLength === GREETING_BYTES && !this.#isClosing) {
      this.#accept(peer, key, body).catch(() => this.#refuse(peer, key));
    } else if (type === TYPE.accept && call !== undefined && body.byteLength === GREETING_BYTES) {
      this.#accepted(call, body).catch(() => this.#end(call));
    }
  }

  async #accept(peer: PeerId, key: Bytes, body: Bytes): Promise<void> {
    const { nonce: diallerNonce, publicKey } = greetingOf(body);
    if (!isKeyOf(peer, publicKey)) return this.#refuse(peer, key);
    const call = this.#call(peer, key, null);
    const acceptorNonce = this.#random(NONCE_BYTES);
    const { identity } = this.#options;
    const context = { dialler: peer, acceptor: identity.peer, key: toHex(key), diallerNonce, acceptorNonce };
    const seals = await this.#seals(publicKey, context, "acceptor").catch((error: unknown) => {
      call.channel.lose();
      throw error;
    });
    this.#greet(call, TYPE.accept, acceptorNonce);
    call.channel.open(seals);
    if (call.channel.readyState === "open") this.onIncoming(peer, connectionOver(call.channel));
  }

  async #accepted(call: Call, body: Bytes): Promise<void> {
    const { dialled, peer, key, channel } = call;
    const { nonce: acceptorNonce, publicKey } = greetingOf(body);
    if (dialled === null) return;
    if (!isKeyOf(peer, publicKey)) {
      const error = `connecting to peer ${peer} by the relay: expected the key that it is named after, found another`;
      dialled.failed(new ProtocolError(error));
      return this.#end(call);
    }
    const dialler = this.#options.identity.peer;
    const context = { dialler, acceptor: peer, key: toHex(key), diallerNonce: dialled.nonce, acceptorNonce };
    channel.open(await this.#seals(publicKey, context, "dialler"));
  }

  async #seals(publicKey: Bytes, context: KeyContext, side: "dialler" | "acceptor"): ReturnType<typeof deriveSeals> {
    return deriveSeals(await sharedSecret(this.#options.identity.privateKey, publicKey), context, side);
  }

  #greet({ peer, key }: Call, type: number, nonce: Bytes): void {
    this.line.send(peer, [Uint8Array.of(type), key, nonce, this.#options.identity.publicKey]);
  }

  #end({ peer, key, channel }: Call): void {
    // One that is open says so itself, sealed.
    if (channel.readyState === "connecting") this.#refuse(peer, key);
    channel.close();
  }

  #refuse(peer: PeerId, key: Bytes): void {
    this.line.send(peer, [Uint8Array.of(TYPE.end), key]);
  }

  #lose(isLost: (call: Call) => boolean, why: string): void {
    for (const call of [...this.#calls.values()].filter(isLost)) {
      call.dialled?.failed(why);
      call.channel.end();
    }
  }
}

function nameOf(peer: PeerId, key: Bytes): string {
  return `${peer}:${toHex(key)}`;
}

function greetingOf(body: Bytes): { readonly nonce: Bytes; readonly publicKey: Bytes } {
  const at = HEAD_BYTES + NONCE_BYTES;
  return { nonce: body.slice(HEAD_BYTES, at), publicKey: body.slice(at) };
}

function connectionOver(channel: RelayChannel): Connection {
  return { channel, path: "relay", release: () => channel.close() };
}
