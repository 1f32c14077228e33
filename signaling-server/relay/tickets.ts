/**
 * Rights that the server hands out and need not remember: tickets for the relay, and credentials for a TURN server that
 * knows the same secret.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IceServer } from "../../src/network/wire/messages.ts";

/** Who a ticket admits, and where. */
export interface Admitted {
  readonly room: string;
  readonly peer: string;
}

/** `room.peer.end.signature`; none of these has a dot in it. */
export class Tickets {
  readonly #secret: Uint8Array;

  /** `secret`: at least 32 bytes that nobody else has. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  issue({ room, peer }: Admitted, untilMs: number): string {
    const text = `${room}.${peer}.${Math.floor(untilMs)}`;
    return `${text}.${this.#sign(text)}`;
  }

  /** Whom the ticket admits now; null when it is no ticket of this server, or has ended. */
  check(ticket: string, nowMs: number): Admitted | null {
    const [room, peer, until, signature, ...rest] = ticket.split(".");
    if (room === undefined || peer === undefined || signature === undefined || rest.length > 0) return null;
    const expected = Buffer.from(this.#sign(`${room}.${peer}.${until}`));
    const found = Buffer.from(signature);
    if (expected.byteLength !== found.byteLength || !timingSafeEqual(expected, found)) return null;
    return Number(until) > nowMs ? { room, peer } : null;
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#secret).update(text).digest("hex");
  }
}

/** ICE servers to tell members of. */
export interface IceOptions {
  /** `stun:host:port`. */
  readonly stun: readonly string[];
  /** `turn:host:port?transport=udp`. */
  readonly turn: readonly string[];
  /** What the TURN servers know as `static-auth-secret`; null for servers that ask for nothing. */
  readonly turnSecret: string | null;
}

/**
 * The servers, with credentials for `peer` that end at `untilMs` (wall time).
 * Source: "A REST API For Access To TURN Services" (draft-uberti-behave-turn-rest-00), as coturn's `use-auth-secret`.
 */
export function iceServersFor({ stun, turn, turnSecret }: IceOptions, peer: string, untilMs: number): IceServer[] {
  const servers: IceServer[] = stun.length > 0 ? [{ urls: stun }] : [];
  if (turn.length === 0) return servers;
  if (turnSecret === null) return [...servers, { urls: turn }];
  const username = `${Math.floor(untilMs / 1_000)}:${peer}`;
  const credential = createHmac("sha1", turnSecret).update(username).digest("base64");
  return [...servers, { urls: turn, username, credential }];
}
