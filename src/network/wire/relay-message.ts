/**
 * What goes over a relay's WebSocket. Binary messages are envelopes: a peer's name and bytes that the server passes on
 * without looking at them. Text messages are between a member and the server, JSON, few and small.
 */
import * as v from "valibot";
import type { Bytes } from "../../base/bytes.ts";
import { ProtocolError } from "../../base/errors.ts";
import { peer, text } from "./schemas.ts";
import type { Schema } from "./schemas.ts";

/** The path of the relay at the server. */
export const RELAY_PATH = "/relay";

/** A frame of 256 KiB, and what the transport puts around it. */
const RELAY_BODY_BYTES_MAX: number = 256 * 1024 + 64;
/** With a peer's name before it. */
export const ENVELOPE_BYTES_MAX: number = 1 + 64 + RELAY_BODY_BYTES_MAX;

const RELAY_TEXT_CHARACTERS_MAX = 2_000;

/** What a member says to the relay. */
export interface RelayHello {
  readonly kind: "hello";
  /** From the coordinator's `network` message: names the room and the member, and ends. */
  readonly ticket: string;
}

/** What the relay says to a member. */
export type RelayNotice =
  | { readonly kind: "welcome" }
  /** Nobody of that name is at the relay, or no longer: what was under way to it is lost. */
  | { readonly kind: "gone"; readonly peer: string }
  /** Final for this socket; a sentence for people. */
  | { readonly kind: "refused"; readonly reason: string };

const hello: Schema<RelayHello> = v.object({ kind: v.literal("hello"), ticket: text(500) });
const notice: Schema<RelayNotice> = v.variant("kind", [
  v.object({ kind: v.literal("welcome") }),
  v.object({ kind: v.literal("gone"), peer }),
  v.object({ kind: v.literal("refused"), reason: text(500) }),
]);

const encoder = new TextEncoder();
const decoder = new TextDecoder("ascii");

/** `[length of the name, name, body]`. To the server the name is the receiver's, from it the sender's. */
export function encodeEnvelope(name: string, parts: readonly Uint8Array[]): Bytes {
  const nameBytes = encoder.encode(name);
  const total = parts.reduce((sum, part) => sum + part.byteLength, 1 + nameBytes.byteLength);
  const bytes = new Uint8Array(total);
  bytes[0] = nameBytes.byteLength;
  bytes.set(nameBytes, 1);
  let at = 1 + nameBytes.byteLength;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** The name, and the body as a view of `bytes`. @throws ProtocolError */
export function decodeEnvelope<B extends Uint8Array>(bytes: B): { readonly peer: string; readonly body: B } {
  const end = 1 + (bytes[0] ?? 0);
  const name = decoder.decode(bytes.subarray(1, end));
  if (bytes.byteLength < end || !v.is(peer, name)) {
    throw new ProtocolError(`relay: expected an envelope with a peer's name, found ${bytes.byteLength} other bytes`);
  }
  return { peer: name, body: bytes.subarray(end) as B };
}

/** @throws ProtocolError */
export function parseRelayHello(message: string): RelayHello {
  return parse("relay hello", hello, message);
}

/** @throws ProtocolError */
export function parseRelayNotice(message: string): RelayNotice {
  return parse("relay notice", notice, message);
}

function parse<T>(what: string, schema: Schema<T>, message: string): T {
  let value: unknown = null;
  try {
    if (message.length <= RELAY_TEXT_CHARACTERS_MAX) value = JSON.parse(message);
  } catch {
    // No JSON is no message either.
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new ProtocolError(`${what}: expected one of its messages, found "${message.slice(0, 40)}"`);
}
