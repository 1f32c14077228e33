/** Whose code called: for messages that name where a tensor was made. */
import { InvariantError } from "../../base/errors.ts";

const FRAMES_MAX = 12;
/** Where this library lies: its own frames are left out. */
const OWN_CODE = new URL("../..", import.meta.url).href;

/** The innermost lines of the stack that are not this library's. */
export function callers(): readonly string[] {
  const limits = Error as { stackTraceLimit?: number };
  const before = limits.stackTraceLimit;
  limits.stackTraceLimit = 60;
  const lines = (new InvariantError("only for its stack").stack ?? "").split("\n");
  if (before !== undefined) limits.stackTraceLimit = before;
  const frames = lines.filter((line) => /:\d+:\d+/.test(line)).map((line) => line.trim().replace(/^at /, ""));
  const path = OWN_CODE.replace(/^file:\/\//, "");
  const foreign = frames.filter((frame) => !frame.includes(OWN_CODE) && !frame.includes(path));
  return (foreign.length > 0 ? foreign : frames).slice(0, FRAMES_MAX);
}
