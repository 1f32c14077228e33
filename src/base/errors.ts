/**
 * Every error that hearth throws. Three kinds: ours (InvariantError), the caller's (Shape, Option, Numeric, Schedule,
 * Unsupported) and the world's (the rest), which carry data and are handled in `training/recovery`.
 *
 * A message names the operation, what was expected and what was found; `code` is stable and meant for programs.
 */

/** The base of all of hearth's errors. `code` never changes once published. */
export abstract class HearthError extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A bug in hearth itself. */
export class InvariantError extends HearthError {
  readonly code = "invariant";
}

/** Tensor shapes that do not fit the operation. */
export class ShapeError extends HearthError {
  readonly code = "shape";
}

/** An option, argument or input outside what the operation accepts. */
export class OptionError extends HearthError {
  readonly code = "option";
}

/** NaN where numbers were expected. */
export class NumericError extends HearthError {
  readonly code = "numeric";
}

/** A transformation of a loop nest that would break a dependence: the result would be another. */
export class ScheduleError extends HearthError {
  readonly code = "schedule";
  /** The array whose element is used twice, in an order that must stay. */
  readonly array: string;
  /** The two uses, the earlier one first: "out[i * 8 + j] stored". */
  readonly uses: readonly [string, string];
  /** How far apart, in the loops around both: "i <, j = 0, k any". */
  readonly direction: string;
  constructor(message: string, what: { array: string; uses: readonly [string, string]; direction: string }) {
    super(message);
    this.array = what.array;
    this.uses = what.uses;
    this.direction = what.direction;
  }
}

/** Something hearth does not do, on this device or at all. */
export class UnsupportedError extends HearthError {
  readonly code = "unsupported";
}

/** A peer left, fell silent or cut the link in the middle of an operation. */
export class PeerLostError extends HearthError {
  readonly code = "peer-lost";
  readonly peer: string;
  constructor(peer: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.peer = peer;
  }
}

/** The GPU or its process went away, or could not give the memory that it had promised. */
export class DeviceLostError extends HearthError {
  readonly code = "device-lost";
  readonly isOutOfMemory: boolean;
  constructor(message: string, options: ErrorOptions & { readonly isOutOfMemory?: boolean } = {}) {
    super(message, options);
    this.isOutOfMemory = options.isOutOfMemory ?? false;
  }
}

/** Something that memory was asked for, and how much. */
export interface MemoryHolder {
  /** For people: "activations of a compiled step", "parameters [512, 64] float32". */
  readonly what: string;
  readonly bytes: number;
}

/** A memory budget, or the device itself, has no room for what is needed, and nothing more can be moved or made smaller. */
export class OutOfMemoryError extends HearthError {
  readonly code = "out-of-memory";
  /** The smallest budget that would do; null where no budget would. */
  readonly smallestBudgetBytes: number | null;
  /** Who holds the most, the largest first. */
  readonly holders: readonly MemoryHolder[];
  constructor(
    message: string,
    details: { readonly smallestBudgetBytes: number | null; readonly holders: readonly MemoryHolder[] },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.smallestBudgetBytes = details.smallestBudgetBytes;
    this.holders = details.holders;
  }
}

/** The storage is full or refused. */
export class QuotaError extends HearthError {
  readonly code = "quota";
}

/** Bytes that are not what their hash, checksum or format says. */
export class CorruptDataError extends HearthError {
  readonly code = "corrupt-data";
}

/** Bytes that nobody who can be reached has. */
export class MissingDataError extends HearthError {
  readonly code = "missing-data";
  /** SHA-256 of each. */
  readonly hashes: readonly string[];
  constructor(hashes: readonly string[], message: string, options?: ErrorOptions) {
    super(message, options);
    this.hashes = hashes;
  }
}

/** A wait that reached its deadline. */
export class DeadlineError extends HearthError {
  readonly code = "deadline";
}

/** An operation ended by its caller, by AbortSignal or because its epoch ended. */
export class AbortedError extends HearthError {
  readonly code = "aborted";
}

/** A message from a peer or the server that breaks the protocol, or speaks another version of it. */
export class ProtocolError extends HearthError {
  readonly code = "protocol";
}

/** One line for people, whatever was thrown. */
export function describeError(error: unknown): string {
  if (error instanceof HearthError) return `${error.message} (${error.code})`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
