/** The embedded store: a folder a room under `directory`, which one process at a time may use. */
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describeError, QuotaError } from "../../src/base/errors.ts";
import { lockDirectory } from "../data-lock.ts";
import { FileLog } from "./file-log.ts";
import type { LogStore, RoomLog, RoomRecord } from "./log-store.ts";

export class FileLogStore implements LogStore {
  readonly #rooms: string;
  readonly #unlock: () => Promise<void>;

  private constructor(rooms: string, unlock: () => Promise<void>) {
    this.#rooms = rooms;
    this.#unlock = unlock;
  }

  /** Holds `directory`, which is made. @throws OptionError when another process holds it; QuotaError */
  static async open(directory: string): Promise<FileLogStore> {
    const unlock = await lockDirectory(directory);
    return new FileLogStore(join(directory, "rooms"), unlock);
  }

  async list(): Promise<readonly string[]> {
    try {
      await mkdir(this.#rooms, { recursive: true });
      return (await readdir(this.#rooms)).filter((name) => this.#hasLog(name));
    } catch (cause) {
      throw new QuotaError(`data folder ${this.#rooms}: expected to read it, found ${describeError(cause)}`, { cause });
    }
  }

  async has(room: string): Promise<boolean> {
    return this.#hasLog(room);
  }

  async create(room: string, first: RoomRecord): Promise<void> {
    const log = await FileLog.create(join(this.#rooms, room), first);
    await log.close();
  }

  open(room: string): Promise<RoomLog> {
    return FileLog.open(join(this.#rooms, room));
  }

  close(): Promise<void> {
    return this.#unlock();
  }

  #hasLog(room: string): boolean {
    return existsSync(join(this.#rooms, room, "log"));
  }
}
