/**
 * What a tab of the pool and the server say to each other: JSON over the WebSocket at /pool.
 *
 * A tab says hello, waits, is assigned a run, joins its room as if it had opened the link, and leaves it politely when it
 * is released. Whatever happens comes with a reason for people.
 */
import * as v from "valibot";
import * as is from "./schemas.ts";
import type { Schema } from "./schemas.ts";
import { check, parseJson } from "./validate.ts";

/** Where the server listens for tabs of the pool, and what people open. */
export const POOL_PATH = "/pool";

/** What a tab of the pool says. */
export type PoolClientMessage =
  | {
      readonly kind: "hello";
      /** Whoever gets it looks with `versionRefusal`. */
      readonly protocol: number;
      /** Names the browser profile, as in a room. */
      readonly device: string;
      /** Programs that this tab's site serves; null for any. */
      readonly programs: readonly string[] | null;
      /** The room that it is in already, where only the server was away. */
      readonly room: string | null;
    }
  /** Out of its room; `problem` where it could not take part in it. */
  | { readonly kind: "idle"; readonly problem: string | null };

/** What the server says to it. */
export type PoolServerMessage =
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "assign"; readonly room: string; readonly reason: string }
  | { readonly kind: "release"; readonly reason: string }
  /** Final: the connection closes and must not be tried again. */
  | { readonly kind: "refused"; readonly reason: string };

const CHARACTERS_MAX = 16 * 1024;
const PROGRAMS_MAX = 100;
const reason = is.text(2_000);
const room = is.text(100);

const clientMessage: Schema<PoolClientMessage> = v.variant("kind", [
  v.object({
    kind: v.literal("hello"),
    protocol: is.word,
    device: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
    programs: v.nullable(is.list(is.text(100), PROGRAMS_MAX)),
    room: v.nullable(room),
  }),
  v.object({ kind: v.literal("idle"), problem: v.nullable(is.sentence) }),
]);

const serverMessage: Schema<PoolServerMessage> = v.variant("kind", [
  v.object({ kind: v.literal("waiting"), reason }),
  v.object({ kind: v.literal("assign"), room, reason }),
  v.object({ kind: v.literal("release"), reason }),
  v.object({ kind: v.literal("refused"), reason }),
]);

/** @throws ProtocolError */
export function parsePoolClientMessage(text: string): PoolClientMessage {
  return check("pool message", clientMessage, parseJson("pool message", text, CHARACTERS_MAX));
}

/** @throws ProtocolError */
export function parsePoolServerMessage(text: string): PoolServerMessage {
  return check("pool message", serverMessage, parseJson("pool message", text, CHARACTERS_MAX));
}
