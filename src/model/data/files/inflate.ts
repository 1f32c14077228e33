/** Deflate, as gzip and zip use it, by the platform's `DecompressionStream`, within a bound on what comes out. */
import { concatBytes } from "../../../base/bytes.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";

export type Compression = "gzip" | "deflate-raw";

/** True for bytes that begin as gzip does. */
export function isGzip(bytes: Bytes): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * `bytes` decompressed, `bytesMax` of them at most. `what` is for messages.
 * @throws CorruptDataError for bytes that are not compressed so, or hold more
 */
export async function inflate(what: string, bytes: Bytes, format: Compression, bytesMax: number): Promise<Bytes> {
  const parts = inflated(what, bytes, format);
  const found: Bytes[] = [];
  let total = 0;
  for await (const part of parts) {
    total += part.byteLength;
    if (total > bytesMax) {
      throw new CorruptDataError(`${what}: expected at most ${bytesMax} bytes in ${format}, found more`);
    }
    found.push(part);
  }
  return concatBytes(found);
}

/** The first bytes of what `bytes` hold, `count` where there are as many. @throws CorruptDataError */
export async function inflateStart(what: string, bytes: Bytes, format: Compression, count: number): Promise<Bytes> {
  const found: Bytes[] = [];
  let total = 0;
  for await (const part of inflated(what, bytes, format)) {
    found.push(part);
    total += part.byteLength;
    if (total >= count) break;
  }
  return concatBytes(found).subarray(0, count);
}

async function* inflated(what: string, bytes: Bytes, format: Compression): AsyncGenerator<Bytes, void, undefined> {
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  // Failures of writing come out of the reader too.
  const writing = writer.write(bytes).then(() => writer.close());
  writing.catch(() => {});
  const reader = stream.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    throw new CorruptDataError(`${what}: expected ${format}, found bytes that do not decompress`, { cause });
  } finally {
    reader.cancel().catch(() => {});
  }
}
