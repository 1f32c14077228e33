/**
 * Bytes in a directory of files: for Node, in tests and headless members. One process at a time uses a directory. A
 * `strict` put waits for the disk three times.
 */
import * as nodeFiles from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "../../base/bytes.ts";
import { JournaledStore, type Folder } from "../journaled-store.ts";

/** What the store asks of the file system; tests put one in that fails. */
export type Files = Pick<typeof nodeFiles, "mkdir" | "open" | "readFile" | "readdir" | "rename" | "unlink">;

export class FileSystemStore extends JournaledStore {
  readonly kind = "file-system";

  /** `directory` is made where it is missing, at the first operation. */
  constructor(directory: string, files: Files = nodeFiles) {
    super(new Directory(directory, files));
  }
}

class Directory implements Folder {
  readonly name: string;
  readonly isAlone = true;
  readonly #files: Files;

  constructor(path: string, files: Files) {
    this.name = path;
    this.#files = files;
  }

  async make(): Promise<void> {
    await this.#files.mkdir(this.name, { recursive: true });
  }

  names(): Promise<string[]> {
    return this.#files.readdir(this.name);
  }

  async read(name: string): Promise<Bytes | undefined> {
    const bytes = await this.#files.readFile(this.#path(name)).catch(unlessMissing);
    return bytes && new Uint8Array(bytes);
  }

  async write(name: string, value: Uint8Array, isStrict: boolean): Promise<void> {
    const file = await this.#files.open(this.#path(name), "w");
    try {
      await file.writeFile(value);
      if (isStrict) await file.sync();
    } finally {
      await file.close();
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#files.rename(this.#path(from), this.#path(to)).catch(unlessMissing);
  }

  async remove(name: string): Promise<void> {
    await this.#files.unlink(this.#path(name)).catch(unlessMissing);
  }

  async sync(): Promise<void> {
    const directory = await this.#files.open(this.name, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  locked<T>(_mode: "shared" | "exclusive", work: () => Promise<T>): Promise<T> {
    return work();
  }

  #path(name: string): string {
    return join(this.name, name);
  }
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
