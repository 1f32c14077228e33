/** Bytes of a file of known size, read in parts: of memory, a Blob, a URL, a file on disk. */
import type { Bytes } from "../../base/bytes.ts";
import { OptionError } from "../../base/errors.ts";
import { throwIfAborted } from "../../base/wait.ts";

/** Options of a read. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of this read that have come, as they come. */
  readonly onBytes?: ((bytesLoaded: number) => void) | undefined;
}

/** A file of known size whose bytes can be had in parts. */
export interface RangedSource {
  /** For messages. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * Bytes `start` to before `end`: exactly these, in memory of their own or shared with the source.
   * @throws AbortedError; CorruptDataError when there are fewer; other errors of the platform as hearth's
   */
  read(start: number, end: number, options?: ReadOptions): Promise<Bytes>;
}

/** @throws OptionError unless 0 <= start <= end <= size */
export function checkRange({ name, size }: RangedSource, start: number, end: number): void {
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= size)) {
    throw new OptionError(`${name}: expected a range within ${size} bytes, found ${start} to ${end}`);
  }
}

/** Bytes in memory, not copied. */
export function bytesSource(bytes: Bytes, name: string = "bytes"): RangedSource {
  const source: RangedSource = {
    name,
    size: bytes.byteLength,
    async read(start, end, { signal, onBytes } = {}) {
      checkRange(source, start, end);
      throwIfAborted(name, signal);
      onBytes?.(end - start);
      return bytes.subarray(start, end);
    },
  };
  return source;
}

/** A Blob, or a File that a user has chosen. */
export function blobSource(blob: Blob, name: string = "blob"): RangedSource {
  const source: RangedSource = {
    name,
    size: blob.size,
    async read(start, end, { signal, onBytes } = {}) {
      checkRange(source, start, end);
      throwIfAborted(name, signal);
      const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      onBytes?.(bytes.byteLength);
      return bytes;
    },
  };
  return source;
}
