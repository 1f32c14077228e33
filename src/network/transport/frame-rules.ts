/** What a path asks of the frames on it. Both ends of a link go by its path, and so agree. */
import { MESSAGE_BYTES_MAX } from "./channel.ts";
import type { PathKind } from "./transport.ts";

export interface FrameRules {
  /** How messages are cut where nothing else is asked for. By measurement: `npm run bench -- all-reduce`. */
  readonly payloadBytes: number;
  readonly frameBytesMax: number;
  /** A link hands over until so much waits to leave, and again when it has fallen to `queuedBytesLow`. */
  readonly queuedBytesMax: number;
  readonly queuedBytesLow: number;
  /** False where nothing can harm bytes on their way that would not harm them in memory. */
  readonly hasChecksum: boolean;
}

const KIBIBYTE = 1024;

/** Its queue keeps a fast path busy between two events, far below the 16 MiB at which `send` of a data channel throws. */
const OVER_NETWORKS: FrameRules = {
  payloadBytes: 64 * KIBIBYTE,
  frameBytesMax: MESSAGE_BYTES_MAX,
  queuedBytesMax: 1024 * KIBIBYTE,
  queuedBytesLow: 256 * KIBIBYTE,
  hasChecksum: true,
};

/** Its queue is emptied by the other tab's thread, which may be busy: what is left is to last until it is refilled. */
const IN_A_BROWSER: FrameRules = {
  payloadBytes: 256 * KIBIBYTE,
  frameBytesMax: 512 * KIBIBYTE,
  queuedBytesMax: 1792 * KIBIBYTE,
  queuedBytesLow: 1024 * KIBIBYTE,
  hasChecksum: false,
};

export function frameRulesOf(path: PathKind): FrameRules {
  return path === "port" ? IN_A_BROWSER : OVER_NETWORKS;
}
