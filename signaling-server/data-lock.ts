/**
 * One process a data folder: two servers that append to the same logs would ruin them.
 *
 * The lock is a file that holds the owner's process id, and on Linux when that process started, so that an id that
 * another program got since does not count. A server that was killed leaves it behind; the next one takes it over.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describeError, OptionError, QuotaError } from "../src/base/errors.ts";

/** Folders that this process holds: its own id in a lock file says nothing about these. */
const held = new Set<string>();

/** Holds `directory`, which is made; the result lets it go. @throws OptionError when another process holds it; QuotaError */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const root = resolve(directory);
  const path = join(root, "lock");
  if (held.has(root)) throw inUse(directory, process.pid);
  held.add(root);
  try {
    await mkdir(root, { recursive: true });
    await acquire(directory, path);
  } catch (error) {
    held.delete(root);
    if (error instanceof OptionError) throw error;
    throw new QuotaError(`data folder ${directory}: expected to write there, found ${describeError(error)}`, {
      cause: error,
    });
  }
  return async () => {
    held.delete(root);
    await rm(path, { force: true });
  };
}

async function acquire(directory: string, path: string): Promise<void> {
  const own = `${path}.${randomUUID()}`;
  // A link appears at once with its content: a lock is never seen half written.
  await writeFile(own, `${process.pid} ${startOf(process.pid) ?? ""}\n`, { flush: true });
  try {
    for (;;) {
      if (await linked(own, path)) return;
      const found = await readFile(path, "utf8").catch(() => null);
      if (found === null) continue; // It was let go meanwhile.
      const owner = liveOwner(found);
      if (owner !== null) throw inUse(directory, owner);
      await takeAway(directory, path, found);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a dead owner's lock, unless somebody was quicker and the file is already another's. */
async function takeAway(directory: string, path: string, dead: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const taken = await readFile(aside, "utf8");
  if (taken !== dead) await linked(aside, path);
  await rm(aside);
  if (taken !== dead) throw inUse(directory, Number.parseInt(taken, 10));
}

/** The process that wrote the lock, if it still runs. */
function liveOwner(content: string): number | null {
  const [id, start] = content.trim().split(" ");
  const pid = Number(id);
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return null;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return null;
  }
  const startNow = startOf(pid);
  return start && startNow && start !== startNow ? null : pid;
}

/** When a process started, in ticks since boot; "ended" for one that only waits to be forgotten; null where the system does not say. */
function startOf(pid: number): string | null {
  try {
    // The name, in parentheses, may hold anything; the state and the start are the 1st and the 20th field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "ended" : (fields[19] ?? null);
  } catch {
    return null;
  }
}

function inUse(directory: string, pid: number): OptionError {
  return new OptionError(
    `data folder ${directory}: expected one server to use it, found process ${pid} doing so: end that one, or choose another folder with --data DIR`,
  );
}
