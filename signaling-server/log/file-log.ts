/**
 * The embedded commit log: one file a room, a line a record, on the disk before anybody hears of it.
 *
 * The first line says how many records of the room's history the file's first lines stand for. An append is one write
 * and one fdatasync (0.2 to 5 ms). Past 16 MiB the file is rewritten short, beside the old one, and takes its place by
 * a rename: whatever moment the machine stops at, one of the two is whole.
 */
import { mkdir, open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assert } from "../../src/base/assert.ts";
import { AbortedError, CorruptDataError, describeError, QuotaError } from "../../src/base/errors.ts";
import type { LogRecord } from "../../src/training/coordinator/protocol.ts";
import { Compaction } from "./compaction.ts";
import { decodeLines, encodeLine } from "./log-lines.ts";
import { isReadableVersion, LOG_VERSION, versionFault, type LogSummary, type RoomLog } from "./log-store.ts";

const COMPACT_ABOVE_BYTES = 16 * 1024 * 1024;

/** The file's first line. */
interface Header {
  readonly format: "hearth-log";
  readonly version: number;
  /** The next `kept` lines stand for the first `length` records. */
  readonly kept: number;
  readonly length: number;
}

export interface FileLogOptions {
  /** Rewritten short when it has grown past this; 16 MiB unless a test says otherwise. */
  readonly compactAboveBytes?: number;
}

/** What is at the end of the file. */
interface Tail {
  readonly handle: FileHandle;
  readonly bytes: number;
  readonly checksum: number;
}

export class FileLog implements RoomLog {
  readonly path: string;
  #tail: Tail;
  #length: number;
  #compactAtBytes: number;
  /** The file says an older version: it is rewritten before a record is appended that its readers may not know. */
  #isOld: boolean;
  readonly #compactAboveBytes: number;
  readonly #compaction: Compaction;
  readonly #watchers = new Set<(record: LogRecord, length: number) => void>();
  /** Appends run one after another. */
  #last: Promise<unknown> = Promise.resolve();
  #broken: QuotaError | AbortedError | null = null;

  private constructor(
    path: string,
    tail: Tail,
    read: { readonly length: number; readonly isOld: boolean; readonly compaction: Compaction },
    compactAboveBytes: number,
  ) {
    this.path = path;
    this.#tail = tail;
    this.#length = read.length;
    this.#isOld = read.isOld;
    this.#compaction = read.compaction;
    this.#compactAboveBytes = compactAboveBytes;
    this.#compactAtBytes = compactAboveBytes;
  }

  /** A new log in `directory`, which is made, holding `first`. @throws QuotaError */
  static async create(directory: string, first: LogRecord, options: FileLogOptions = {}): Promise<FileLog> {
    const path = join(directory, "log");
    await storing(path, async () => {
      await mkdir(directory, { recursive: true });
      await syncDirectory(dirname(directory));
      const tail = await writeWhole(path, [first], 1);
      await tail.handle.close();
    });
    return FileLog.open(directory, options);
  }

  /**
   * The log in `directory`, its torn last line cut off.
   * @throws CorruptDataError naming file and line; QuotaError when it cannot be read or cut
   */
  static async open(directory: string, options: FileLogOptions = {}): Promise<FileLog> {
    const path = join(directory, "log");
    const content = await storing(path, () => readFile(path));
    const { records, header, bytes, checksum } = decodeLog(path, content);
    const compaction = new Compaction();
    for (const record of records) compaction.note(record);
    const handle = await storing(path, async () => {
      const opened = await open(path, "r+");
      if (bytes < content.byteLength) {
        await opened.truncate(bytes);
        await opened.sync();
      }
      return opened;
    });
    const length = header.length + records.length - header.kept;
    const compactAboveBytes = options.compactAboveBytes ?? COMPACT_ABOVE_BYTES;
    const isOld = header.version < LOG_VERSION;
    return new FileLog(path, { handle, bytes, checksum }, { length, isOld, compaction }, compactAboveBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** Size of the file. */
  get bytes(): number {
    return this.#tail.bytes;
  }

  get summary(): LogSummary {
    return this.#compaction.summary;
  }

  appendIf(expectedLength: number, record: LogRecord): Promise<void> {
    return this.#serially(async () => {
      if (this.#broken) throw this.#broken;
      if (expectedLength !== this.#length) {
        throw new AbortedError(
          `log: append to ${this.path}: expected ${expectedLength} records, found ${this.#length}: another coordinator leads this room`,
        );
      }
      if (this.#isOld) await this.#compact();
      await this.#append(record);
      if (this.#tail.bytes > this.#compactAtBytes) await this.#compact();
    });
  }

  async read(): Promise<readonly LogRecord[]> {
    return this.#serially(async () => decodeLog(this.path, await readFile(this.path)).records);
  }

  watch(onAppend: (record: LogRecord, length: number) => void): () => void {
    this.#watchers.add(onAppend);
    return () => this.#watchers.delete(onAppend);
  }

  /** Waits for the append under way, then lets the file go. */
  close(): Promise<void> {
    return this.#serially(async () => {
      this.#broken ??= new AbortedError(`log: ${this.path}: expected an open log, found it closed`);
      await this.#tail.handle.close();
    });
  }

  async #append(record: LogRecord): Promise<void> {
    const { handle, bytes, checksum: previous } = this.#tail;
    const line = encodeLine(record, previous);
    try {
      await writeAt(handle, line.bytes, bytes);
      await handle.datasync();
    } catch (cause) {
      // What is on the disk now is unknown until the file is read again.
      this.#broken = storageError(this.path, cause);
      throw this.#broken;
    }
    this.#tail = { handle, bytes: bytes + line.bytes.byteLength, checksum: line.checksum };
    this.#length += 1;
    this.#compaction.note(record);
    for (const onAppend of this.#watchers) onAppend(record, this.#length);
  }

  /** Rewrites the file short. When that fails the long one is still whole, and it is tried again one bound later. */
  async #compact(): Promise<void> {
    const old = this.#tail.handle;
    try {
      this.#tail = await writeWhole(this.path, this.#compaction.records(), this.#length);
      this.#isOld = false;
      await old.close();
    } catch {
      await rm(`${this.path}.new`, { force: true });
    }
    this.#compactAtBytes = this.#tail.bytes + this.#compactAboveBytes;
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}

function decodeLog(
  path: string,
  content: Buffer,
): { header: Header; records: LogRecord[]; bytes: number; checksum: number } {
  const { values, bytes, checksum } = decodeLines(path, content);
  const [header, ...records] = values as [Header | undefined, ...LogRecord[]];
  if (header?.format !== "hearth-log") {
    throw new CorruptDataError(`log: ${path}, line 1: expected a header, found none`);
  }
  if (!isReadableVersion(header.version)) {
    throw new CorruptDataError(`log: ${path}: ${versionFault(header.version)}`);
  }
  if (records.length < header.kept) {
    throw new CorruptDataError(
      `log: ${path}, line ${records.length + 2}: expected ${header.kept} records from the last rewriting, found ${records.length}`,
    );
  }
  return { header, records, bytes, checksum };
}

/** The whole file at once: written beside, synced, renamed. Returns the new file, open. */
async function writeWhole(path: string, records: readonly LogRecord[], length: number): Promise<Tail> {
  const header: Header = { format: "hearth-log", version: LOG_VERSION, kept: records.length, length };
  let checksum = 0;
  const lines = [header, ...records].map((value) => {
    const line = encodeLine(value, checksum);
    checksum = line.checksum;
    return line.bytes;
  });
  const content = Buffer.concat(lines);
  const handle = await open(`${path}.new`, "w+");
  try {
    await writeAt(handle, content, 0);
    await handle.sync();
    await rename(`${path}.new`, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await handle.close();
    throw error;
  }
  return { handle, bytes: content.byteLength, checksum };
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done);
    assert(bytesWritten > 0, `log: write of ${bytes.byteLength - done} bytes: found 0 written`);
    done += bytesWritten;
  }
}

/** A rename or a new entry is durable only when its folder is. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function storing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storageError(path, cause);
  }
}

function storageError(path: string, cause: unknown): QuotaError {
  return new QuotaError(`log: ${path}: expected the disk to keep it, found ${describeError(cause)}`, { cause });
}
