/** What a group tells of its work while it goes on: spans of time, by operation, chunk and link. */
import type { PeerId } from "../transport/transport.ts";

/** Something that took time. */
export interface Span {
  /** `operation`: the whole; `send`: a message until it was handed over; `wait`: until a message was whole. */
  readonly kind: "operation" | "send" | "wait" | "reduce" | "encode" | "decode";
  /** The program's name and the operation's number: "all-reduce 7". */
  readonly operation: string;
  readonly rank: number;
  /** The other side of a message. */
  readonly peer?: PeerId;
  readonly chunk?: number;
  readonly bytes: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** Gets every span when it ends. */
export type Trace = (span: Span) => void;
