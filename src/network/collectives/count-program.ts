/** What a program costs, counted: the other side of the closed forms in docs/network.md. */
import { ranksOf } from "./program.ts";
import type { Program } from "./program.ts";

/** Traffic of a whole program. */
export interface ProgramCount {
  /** Of all ranks together. */
  readonly messages: number;
  /** Bytes that all ranks together send. */
  readonly bytes: number;
  /** Bytes that the busiest rank sends. */
  readonly bytesMax: number;
  /** Hops in which something is sent: latencies one after another, when each rank sends one message at a time. */
  readonly hops: number;
}

/** `bytesOf`: the size of a chunk. */
export function countProgram({ size, hops }: Program, bytesOf: (chunk: number) => number): ProgramCount {
  const bytesBy = new Array<number>(size).fill(0);
  const messagesIn = hops.map((hop) => {
    let messages = 0;
    for (const rank of ranksOf(size)) {
      const { sends } = hop(rank);
      messages += sends.length;
      for (const { chunk } of sends) bytesBy[rank] = (bytesBy[rank] ?? 0) + bytesOf(chunk);
    }
    return messages;
  });
  return {
    messages: messagesIn.reduce((sum, messages) => sum + messages, 0),
    bytes: bytesBy.reduce((sum, bytes) => sum + bytes, 0),
    bytesMax: Math.max(0, ...bytesBy),
    hops: messagesIn.filter((messages) => messages > 0).length,
  };
}
