/**
 * Bytes in a directory of files, one a key: for Node, in tests and headless members.
 *
 * Every value is written to a file of its own name and renamed into place, so a reader sees the old or the new one. A
 * put of several entries first writes all of them, then a journal that lists the renames: once the journal is there
 * the put has happened, and a restart finishes it. Chosen over a log file because chunks are large and deleted often.
 *
 * One process at a time uses a directory. A `strict` put waits for the disk three times; a `relaxed` one never, so
 * that after a power cut (not after a killed process) its values may be torn. The chunk store above finds those.
 */
import * as nodeFiles from "node:fs/promises";
import { join } from "node:path";
import { equalBytes, type Bytes } from "../../base/bytes.ts";
import { AbortedError, QuotaError } from "../../base/errors.ts";
import { checkKey } from "../key.ts";
import type { Entry, PutOptions, Store } from "../store.ts";

/** What the store asks of the file system; tests put one in that fails. */
export type Files = Pick<typeof nodeFiles, "mkdir" | "open" | "readFile" | "readdir" | "rename" | "unlink">;

/** Temporary files and journals begin with it: no key's file does. */
const TEMPORARY = "#";
const JOURNAL = "#journal-";

export class FileSystemStore implements Store {
  readonly kind = "file-system";
  readonly #directory: string;
  readonly #files: Files;
  /** Operations go one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  /** False at first, and when a put broke off between its renames. */
  #isWhole = false;
  #count = 0;
  #isClosed = false;

  /** `directory` is made where it is missing, at the first operation. */
  constructor(directory: string, files: Files = nodeFiles) {
    this.#directory = directory;
    this.#files = files;
  }

  async get(key: string): Promise<Bytes | undefined> {
    checkKey("get", key);
    const bytes = await this.#run("get", () => this.#files.readFile(this.#path(fileName(key))).catch(unlessMissing));
    return bytes && new Uint8Array(bytes);
  }

  async put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    for (const { key } of entries) checkKey("put", key);
    const bytes = entries.reduce((sum, { value }) => sum + value.byteLength, 0);
    await this.#run(`put of ${bytes} bytes in ${entries.length} files`, () => this.#putAll(entries, options));
  }

  async swap(key: string, expected: Bytes | undefined, value: Bytes): Promise<boolean> {
    checkKey("swap", key);
    return this.#run("swap", async () => {
      const found = await this.#files.readFile(this.#path(fileName(key))).catch(unlessMissing);
      if (!equalBytes(found, expected)) return false;
      await this.#putAll([{ key, value }], { durability: "strict" });
      return true;
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey("delete", key);
    await this.#run(`delete of ${keys.length} files`, async () => {
      for (const key of keys) await this.#files.unlink(this.#path(fileName(key))).catch(unlessMissing);
    });
  }

  async keys(prefix: string): Promise<string[]> {
    const names = await this.#run("keys", () => this.#files.readdir(this.#directory));
    const keys = names.filter((name) => !name.startsWith(TEMPORARY)).map(keyOf);
    return keys.filter((key) => key.startsWith(prefix)).sort();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #putAll(entries: readonly Entry[], { durability }: PutOptions): Promise<void> {
    const isStrict = durability === "strict";
    const renames: Rename[] = [];
    const journal = `${JOURNAL}${this.#count++}`;
    try {
      for (const [index, { key, value }] of entries.entries()) {
        const rename: Rename = [`${TEMPORARY}${this.#count++}-${index}`, fileName(key)];
        renames.push(rename);
        await this.#writeFile(rename[0], value, isStrict);
      }
      if (renames.length > 1) {
        const temporary = `${TEMPORARY}${this.#count++}-journal`;
        await this.#writeFile(temporary, new TextEncoder().encode(JSON.stringify(renames)), isStrict);
        await this.#files.rename(this.#path(temporary), this.#path(journal));
        if (isStrict) await this.#syncDirectory();
      }
    } catch (error) {
      // Nothing has happened yet. What cannot be removed now, the next start removes.
      for (const [from] of renames) await this.#files.unlink(this.#path(from)).catch(() => {});
      throw error;
    }
    this.#isWhole = false;
    await this.#apply(renames);
    this.#isWhole = true;
    if (isStrict) await this.#syncDirectory();
    if (renames.length > 1) await this.#files.unlink(this.#path(journal));
  }

  async #writeFile(name: string, value: Uint8Array, isStrict: boolean): Promise<void> {
    const file = await this.#files.open(this.#path(name), "w");
    try {
      await file.writeFile(value);
      if (isStrict) await file.sync();
    } finally {
      await file.close();
    }
  }

  /** May be done again and again: a file that is no longer there has been renamed before. */
  async #apply(renames: readonly Rename[]): Promise<void> {
    for (const [from, to] of renames) await this.#files.rename(this.#path(from), this.#path(to)).catch(unlessMissing);
  }

  async #syncDirectory(): Promise<void> {
    const directory = await this.#files.open(this.#directory, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** Finishes or takes back what was left half done, here or by an earlier process. */
  async #recover(): Promise<void> {
    await this.#files.mkdir(this.#directory, { recursive: true });
    const names = await this.#files.readdir(this.#directory);
    for (const journal of names.filter((name) => name.startsWith(JOURNAL))) {
      await this.#apply(readJournal(await this.#files.readFile(this.#path(journal), "utf8")));
      await this.#files.unlink(this.#path(journal));
    }
    for (const name of await this.#files.readdir(this.#directory)) {
      if (name.startsWith(TEMPORARY)) await this.#files.unlink(this.#path(name));
    }
    this.#isWhole = true;
  }

  #run<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(async () => {
      if (this.#isClosed) throw new AbortedError(`${operation}: expected an open store, found it closed`);
      try {
        if (!this.#isWhole) await this.#recover();
        return await work();
      } catch (error) {
        throw this.#explain(operation, error);
      }
    });
    this.#last = done.catch(() => {});
    return done;
  }

  #explain(operation: string, error: unknown): QuotaError {
    const found = error instanceof Error ? error.message : String(error);
    return new QuotaError(`${operation}: expected ${this.#directory} to allow it, it refused with ${found}`, {
      cause: error,
    });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

/** From a temporary name to a key's. */
type Rename = readonly [from: string, to: string];

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
function readJournal(text: string): readonly Rename[] {
  try {
    return JSON.parse(text) as readonly Rename[];
  } catch {
    return [];
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
