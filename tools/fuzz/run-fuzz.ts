/** Feeds a reader: every outcome must be a result, or one of the errors that a bad file is. */
import { CorruptDataError, OptionError, UnsupportedError } from "../../src/base/errors.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { Random } from "../../src/base/random.ts";
import type { FuzzTarget } from "./targets.ts";

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** A clock in milliseconds. */
  readonly nowMs: () => number;
}

export interface FuzzReport {
  readonly target: string;
  readonly inputs: number;
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly ms: number;
  /** The first input that went wrong, and how; null for none. */
  readonly failure: { readonly input: number; readonly what: string; readonly excerpt: string } | null;
}

/** One input may take this long on a busy machine. */
const INPUT_MS_MAX = 2_000;
/** Elements that may come of one byte of a file: deflate packs a thousand to one. */
const ELEMENTS_PER_BYTE_MAX = 1_100;
const MESSAGE_LENGTH_MAX = 600;

/** Reads `inputs` changed files, one after another; stops at the first that goes wrong. */
export async function fuzz(target: FuzzTarget, { inputs, seed, nowMs }: FuzzOptions): Promise<FuzzReport> {
  const startMs = nowMs();
  let accepted = 0;
  let slowestMs = 0;
  let done = 0;
  let failure: FuzzReport["failure"] = null;
  for (; done < inputs && failure === null; done++) {
    const input = target.input(new Random(seed, target.name, done));
    const inputMs = nowMs();
    const what = await outcomeOf(target, input);
    const tookMs = nowMs() - inputMs;
    slowestMs = Math.max(slowestMs, tookMs);
    if (what === null) accepted += 1;
    const wrong = tookMs > INPUT_MS_MAX ? `${tookMs} ms` : what === "refused" ? null : what;
    if (wrong !== null) failure = { input: done, what: wrong, excerpt: excerptOf(input) };
  }
  const refused = done - accepted - (failure === null ? 0 : 1);
  return { target: target.name, inputs: done, accepted, refused, slowestMs, ms: nowMs() - startMs, failure };
}

/** Null for a right result, "refused" for one clear error, else what is wrong. */
async function outcomeOf(target: FuzzTarget, input: Bytes | string): Promise<string | null> {
  try {
    const elements = await target.read(input);
    return elements > ELEMENTS_PER_BYTE_MAX * (input.length + 64) ? `${elements} elements came out` : null;
  } catch (error) {
    const isOurs =
      error instanceof CorruptDataError || error instanceof OptionError || error instanceof UnsupportedError;
    if (!isOurs) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { message } = error;
    const isSentence = message.includes(": expected ") && message.includes(", found ");
    if (!isSentence || message.length > MESSAGE_LENGTH_MAX) return `the message "${message.slice(0, 1_000)}"`;
    return "refused";
  }
}

function excerptOf(input: Bytes | string): string {
  return typeof input === "string" ? JSON.stringify(input.slice(0, 4_000)) : Buffer.from(input).toString("base64");
}
