/**
 * Sealing messages between two peers: AES-256-GCM, a key for each direction, the message's number as nonce.
 *
 * So a message that was changed, left out, repeated, reordered or sent back does not open. Keys come from both peers'
 * long-term secrets and fresh nonces of both (HKDF-SHA-256), so that no connection has the keys of an earlier one.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { assert } from "../../../base/assert.ts";

/** Of each side's nonce. */
export const NONCE_BYTES = 16;

/** Who dialled whom, and how: what keys are bound to. */
export interface KeyContext {
  readonly dialler: string;
  readonly acceptor: string;
  /** The connection's name. */
  readonly key: string;
  readonly diallerNonce: Bytes;
  readonly acceptorNonce: Bytes;
}

/** One peer's ends of the two directions. */
export interface Seals {
  readonly outgoing: Seal;
  readonly incoming: Seal;
}

/** The keys of a connection, for the dialler or the acceptor. */
export async function deriveSeals(
  secret: ArrayBuffer,
  context: KeyContext,
  side: "dialler" | "acceptor",
): Promise<Seals> {
  const { dialler, acceptor, key, diallerNonce, acceptorNonce } = context;
  const salt = new Uint8Array(2 * NONCE_BYTES);
  salt.set(diallerNonce);
  salt.set(acceptorNonce, NONCE_BYTES);
  const info = new TextEncoder().encode(`hearth relay 1|${dialler}|${acceptor}|${key}`);
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, base, 512);
  const [forth, back] = await Promise.all([sealOf(bits.slice(0, 32)), sealOf(bits.slice(32))]);
  return side === "dialler" ? { outgoing: forth, incoming: back } : { outgoing: back, incoming: forth };
}

async function sealOf(bits: ArrayBuffer): Promise<Seal> {
  return new Seal(await crypto.subtle.importKey("raw", bits, "AES-GCM", false, ["encrypt", "decrypt"]));
}

/** One direction. Numbers are taken when `seal` and `open` are called, so calls may overlap. */
export class Seal {
  readonly #key: CryptoKey;
  #count = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** `kind` stays readable and cannot be changed. */
  seal(kind: number, message: Bytes): Promise<ArrayBuffer> {
    return crypto.subtle.encrypt(this.#parameters(kind), this.#key, message);
  }

  /** @throws DOMException when it is not the next message as it was sealed */
  open(kind: number, sealed: Bytes): Promise<ArrayBuffer> {
    return crypto.subtle.decrypt(this.#parameters(kind), this.#key, sealed);
  }

  #parameters(kind: number): AesGcmParams {
    assert(this.#count < 2 ** 32, "relay: too many messages under one key");
    const iv = new Uint8Array(12);
    new DataView(iv.buffer).setUint32(8, this.#count);
    this.#count += 1;
    return { name: "AES-GCM", iv, additionalData: Uint8Array.of(kind) };
  }
}
