/**
 * Bytes in the browser's origin-private file system, by synchronous handles: for dedicated workers of secure pages. All tabs
 * of an origin in one browser profile share it; a Web Lock lets one of them write at a time, and ends with its tab.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { CorruptDataError, DeadlineError } from "../../base/errors.ts";
import { JournaledStore, type Folder } from "../journaled-store.ts";

export interface OpfsOptions {
  /** Of the folder. Stores of one name in one browser profile are one store. */
  readonly name: string;
  /** Where the folder is: `navigator.storage.getDirectory()`, or that of a storage bucket. */
  readonly root: () => Promise<FileSystemDirectoryHandle>;
  readonly locks: LockManager;
  readonly clock: Clock;
  /** For one lock: whoever holds it longer is taken for stuck. 30 s unless told. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 30_000;

export class OpfsStore extends JournaledStore {
  readonly kind = "opfs";

  constructor(options: OpfsOptions) {
    super(new OpfsFolder(options));
  }
}

/** Not in TypeScript's library yet. */
interface SyncHandle {
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}
interface FileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncHandle>;
  move(name: string): Promise<void>;
}

class OpfsFolder implements Folder {
  readonly name: string;
  readonly isAlone = false;
  readonly #options: OpfsOptions;
  #handle: Promise<FileSystemDirectoryHandle> | null = null;

  constructor(options: OpfsOptions) {
    this.name = `the private file system "${options.name}"`;
    this.#options = options;
  }

  async make(): Promise<void> {
    // Somebody may have cleared the site's data since.
    this.#handle = null;
    await this.#folder();
  }

  async names(): Promise<string[]> {
    return this.#inFolder(async (folder) => {
      const names: string[] = [];
      for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name);
      return names;
    });
  }

  async read(name: string): Promise<Bytes | undefined> {
    const handle = await this.#file(name);
    if (!handle) return undefined;
    try {
      return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new CorruptDataError(`get from ${this.name}: expected a readable file, found ${String(error)}`, {
        cause: error,
      });
    }
  }

  async write(name: string, value: Uint8Array, isStrict: boolean): Promise<void> {
    const handle = await this.#inFolder((folder) => folder.getFileHandle(name, { create: true }));
    const file = await (handle as FileHandle).createSyncAccessHandle();
    try {
      file.truncate(0);
      for (let at = 0; at < value.byteLength;) {
        const written = file.write(at === 0 ? value : value.subarray(at), { at });
        if (written === 0) throw new DOMException("no byte was written", "QuotaExceededError");
        at += written;
      }
      if (isStrict) file.flush();
    } finally {
      file.close();
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await (await this.#file(from))?.move(to);
  }

  async remove(name: string): Promise<void> {
    const folder = await this.#folder();
    await folder.removeEntry(name).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  /** Names are the browser's own affair. */
  async sync(): Promise<void> {}

  async locked<T>(mode: "shared" | "exclusive", work: () => Promise<T>): Promise<T> {
    const { locks, clock, name, deadlineMs = DEADLINE_MS } = this.#options;
    const waiting = new AbortController();
    const cancel = clock.after(deadlineMs, () =>
      waiting.abort(new DeadlineError(`${this.name}: expected its lock within ${deadlineMs} ms, another tab holds it`)),
    );
    const granted = (): Promise<T> => {
      cancel();
      return work();
    };
    try {
      return (await locks.request(`hearth store ${name}`, { mode, signal: waiting.signal }, granted)) as T;
    } finally {
      cancel();
    }
  }

  async #file(name: string): Promise<FileHandle | undefined> {
    const folder = await this.#folder();
    return (await folder.getFileHandle(name).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    })) as FileHandle | undefined;
  }

  /** Once more in a new folder, where the browser took the old one away with all that was in it. */
  async #inFolder<T>(work: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#folder());
    } catch (error) {
      if (!isMissing(error)) throw error;
      this.#handle = null;
      return work(await this.#folder());
    }
  }

  #folder(): Promise<FileSystemDirectoryHandle> {
    const { root, name } = this.#options;
    const opening = this.#handle ?? root().then((folder) => folder.getDirectoryHandle(name, { create: true }));
    this.#handle = opening;
    opening.catch(() => {
      if (this.#handle === opening) this.#handle = null;
    });
    return opening;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DOMException && error.name === "NotFoundError";
}
