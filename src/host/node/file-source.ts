/** A file on disk, read in parts. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CorruptDataError, OptionError } from "../../base/errors.ts";
import { throwIfAborted } from "../../base/wait.ts";
import { checkRange } from "../../model/safetensors/ranged-source.ts";
import type { RangedSource } from "../../model/safetensors/ranged-source.ts";

/** A source over an open file; `close` it at the end. */
export interface FileSource extends RangedSource {
  /** Closes the file: no more reads. */
  close(): Promise<void>;
}

/** Opens a file for reading. @throws OptionError when it cannot be opened */
export async function openFile(path: string): Promise<FileSource> {
  let handle: FileHandle;
  try {
    handle = await open(path, "r");
  } catch (cause) {
    throw new OptionError(`openFile: expected a file that can be read, found none at ${path}`, { cause });
  }
  const { size } = await handle.stat();
  const source: FileSource = {
    name: path,
    size,
    async read(start, end, { signal, onBytes } = {}) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(end - start);
      for (let at = 0; at < bytes.byteLength;) {
        throwIfAborted(path, signal);
        const { bytesRead } = await handle.read(bytes, at, bytes.byteLength - at, start + at);
        if (bytesRead === 0) {
          throw new CorruptDataError(`${path}: expected ${bytes.byteLength} bytes at ${start}, found ${at}`);
        }
        at += bytesRead;
        onBytes?.(at);
      }
      return bytes;
    },
    close: () => handle.close(),
  };
  return source;
}
