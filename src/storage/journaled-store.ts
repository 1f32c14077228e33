/**
 * Bytes in a folder of files, one a key: what stores on file systems have in common, over the few things asked of a folder.
 *
 * Every value is written to a file of its own name and renamed into place, so a reader sees the old or the new one. A
 * put of several entries first writes all of them, then a journal that lists the renames: once the journal is there
 * the put has happened, and whoever comes next finishes it. Chosen over a log file because chunks are large and deleted
 * often. A `strict` put waits for the disk; a `relaxed` one never, so that after a power cut (not after a killed process)
 * its values may be torn. The chunk store above finds those.
 */
import type { Bytes } from "../base/bytes.ts";
import { AbortedError, CorruptDataError, DeadlineError, QuotaError, type HearthError } from "../base/errors.ts";
import { checkKey } from "./key.ts";
import type { Entry, PutOptions, Store } from "./store.ts";

/** A flat folder. Whatever it cannot do it rejects; the store says which operation that was. */
export interface Folder {
  /** For messages. */
  readonly name: string;
  /** Makes it where it is missing. */
  make(): Promise<void>;
  names(): Promise<string[]>;
  /** Undefined where there is none. @throws CorruptDataError when it is there and cannot be read */
  read(name: string): Promise<Bytes | undefined>;
  /** Writes the whole file, and waits for the disk if `isStrict`. */
  write(name: string, value: Uint8Array, isStrict: boolean): Promise<void>;
  /** Takes the place of `to`. A missing `from` is fine. */
  rename(from: string, to: string): Promise<void>;
  /** A missing file is fine. */
  remove(name: string): Promise<void>;
  /** Waits until names are on the disk. */
  sync(): Promise<void>;
  /**
   * Runs `work` while nobody else writes (`exclusive`: or reads) here, in whatever tab. `isAlone` tells that what others left
   * half done need not be looked for each time: nobody else uses the folder.
   */
  locked<T>(mode: "shared" | "exclusive", work: () => Promise<T>): Promise<T>;
  readonly isAlone: boolean;
}

/** Temporary files and journals begin with it: no key's file does. */
const TEMPORARY = "#";
const JOURNAL = "#journal-";
/** The journal of a folder that several use: one writes at a time, and all look for it. */
const SHARED_JOURNAL = `${JOURNAL}shared`;

/** From a temporary name to a key's. */
type Rename = readonly [from: string, to: string];

export abstract class JournaledStore implements Store {
  abstract readonly kind: Store["kind"];
  readonly #folder: Folder;
  /** Operations go one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** False at first, and when a put broke off between its renames. */
  #isWhole = false;
  #count = 0;
  #isClosed = false;

  constructor(folder: Folder) {
    this.#folder = folder;
  }

  async get(key: string): Promise<Bytes | undefined> {
    checkKey("get", key);
    return this.#run("get", "shared", () => this.#folder.read(fileName(key)));
  }

  async put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    for (const { key } of entries) checkKey("put", key);
    const bytes = entries.reduce((sum, { value }) => sum + value.byteLength, 0);
    await this.#run(`put of ${bytes} bytes in ${entries.length} files`, "exclusive", () =>
      this.#putAll(entries, options),
    );
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey("delete", key);
    await this.#run(`delete of ${keys.length} files`, "exclusive", async () => {
      for (const key of keys) await this.#folder.remove(fileName(key));
    });
  }

  async keys(prefix: string): Promise<string[]> {
    const names = await this.#run("keys", "shared", () => this.#folder.names());
    const keys = names.filter((name) => !name.startsWith(TEMPORARY)).map(keyOf);
    return keys.filter((key) => key.startsWith(prefix)).sort();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #putAll(entries: readonly Entry[], { durability }: PutOptions): Promise<void> {
    const isStrict = durability === "strict";
    const folder = this.#folder;
    const renames: Rename[] = [];
    const journal = folder.isAlone ? `${JOURNAL}${this.#count++}` : SHARED_JOURNAL;
    try {
      for (const [index, { key, value }] of entries.entries()) {
        const rename: Rename = [`${TEMPORARY}${this.#count++}-${index}`, fileName(key)];
        renames.push(rename);
        await folder.write(rename[0], value, isStrict);
      }
      if (renames.length > 1) {
        const temporary = `${TEMPORARY}${this.#count++}-journal`;
        await folder.write(temporary, new TextEncoder().encode(JSON.stringify(renames)), isStrict);
        await folder.rename(temporary, journal);
        if (isStrict) await folder.sync();
      }
    } catch (error) {
      // Nothing has happened yet. What cannot be removed now, the next start removes.
      for (const [from] of renames) await folder.remove(from).catch(() => {});
      throw error;
    }
    this.#isWhole = false;
    await this.#apply(renames);
    this.#isWhole = true;
    if (isStrict) await folder.sync();
    if (renames.length > 1) await folder.remove(journal);
  }

  /** May be done again and again: a file that is no longer there has been renamed before. */
  async #apply(renames: readonly Rename[]): Promise<void> {
    for (const [from, to] of renames) await this.#folder.rename(from, to);
  }

  /** Finishes or takes back what was left half done, here or by somebody who is gone. */
  async #recover(): Promise<void> {
    const folder = this.#folder;
    await folder.make();
    for (const journal of (await folder.names()).filter((name) => name.startsWith(JOURNAL))) {
      await this.#apply(readJournal(await folder.read(journal)));
      await folder.remove(journal);
    }
    for (const name of await folder.names()) if (name.startsWith(TEMPORARY)) await folder.remove(name);
    this.#isWhole = true;
  }

  #run<T>(operation: string, mode: "shared" | "exclusive", work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#isClosed) throw new AbortedError(`${operation}: expected an open store, found it closed`);
      try {
        return await this.#locked(mode, work);
      } catch (error) {
        throw this.#explain(operation, error);
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }

  /** Under the lock, with nothing left half done; a reader that finds something takes the other lock and finishes it first. */
  async #locked<T>(mode: "shared" | "exclusive", work: () => Promise<T>): Promise<T> {
    const folder = this.#folder;
    if (mode === "shared" && this.#isWhole) {
      const result = await folder.locked(mode, async () =>
        (await this.#isLeftHalfDone()) ? null : { value: await work() },
      );
      if (result) return result.value;
    }
    return folder.locked("exclusive", async () => {
      if (!this.#isWhole || (await this.#isLeftHalfDone())) await this.#recover();
      return work();
    });
  }

  async #isLeftHalfDone(): Promise<boolean> {
    return !this.#folder.isAlone && (await this.#folder.read(SHARED_JOURNAL)) !== undefined;
  }

  #explain(operation: string, error: unknown): HearthError {
    const isTold = [CorruptDataError, AbortedError, DeadlineError].some((kind) => error instanceof kind);
    if (isTold) return error as HearthError;
    const found = error instanceof Error ? error.message : String(error);
    return new QuotaError(`${operation}: expected ${this.#folder.name} to allow it, it refused with ${found}`, {
      cause: error,
    });
  }
}

/** One name for each key, also where the file system ignores case, and never `.`, `..` or a path. */
function fileName(key: string): string {
  const flat = key.replaceAll("/", "=").replaceAll(":", "~");
  return `${flat.replace(/[A-Z]/g, (letter) => `^${letter.toLowerCase()}`)}_`;
}

function keyOf(name: string): string {
  const cased = name.slice(0, -1).replace(/\^(.)/g, (_, letter: string) => letter.toUpperCase());
  return cased.replaceAll("=", "/").replaceAll("~", ":");
}

/** Torn by a power cut during a relaxed put: nothing. */
function readJournal(bytes: Bytes | undefined): readonly Rename[] {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as readonly Rename[];
  } catch {
    return [];
  }
}
