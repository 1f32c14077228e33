/**
 * Processes that the driver started: each leads a process group of its own (Chromium with all its helpers, the server),
 * so that a signal to the group reaches the whole tree, and nothing that somebody else started.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Groups that still have to be ended. One a driver; `endAll` is synchronous, fit for the process's own "exit". */
export class ProcessGroups {
  readonly #leaders = new Set<number>();

  add(pid: number): void {
    this.#leaders.add(pid);
  }

  /** The group ended by itself. */
  delete(pid: number): void {
    this.#leaders.delete(pid);
  }

  get pids(): readonly number[] {
    return [...this.#leaders];
  }

  /** SIGKILLs every group, stopped ones too. */
  endAll(): void {
    for (const pid of this.#leaders) signalGroup(pid, "SIGKILL");
    this.#leaders.clear();
  }
}

/** Sends `signal` to the group that `pid` leads. False when it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return send(-pid, signal);
}

/** Sends `signal` to one process. False when it is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  return send(pid, signal);
}

function send(target: number, signal: NodeJS.Signals): boolean {
  // 0 and -1 would reach this process's own group, or everything.
  if (Math.abs(target) <= 1) return false;
  try {
    process.kill(target, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** The parent of a living process; 0 when it has none, or is gone. */
export function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // "pid (name) state ppid ...", where the name may hold anything.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  } catch {
    return process.platform === "linux" ? 0 : Number(askPs("ppid=", pid).trim() || 0);
  }
}

/** Living processes that `pid` started, and that those started. */
export function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    // Those that each of its threads started.
    const lists = readdirSync(`/proc/${pid}/task`).map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"),
    );
    return lists.flatMap((list) => list.split(" ").map(Number)).filter((child) => child > 0);
  } catch {
    if (process.platform === "linux") return [];
    const rows = askPs("pid=,ppid=", null).trim().split("\n");
    return rows.map((row) => row.trim().split(/\s+/).map(Number)).flatMap(([child, parent]) => (parent === pid ? (child ?? []) : [])); // prettier-ignore
  }
}

/** The command line of a living process, words parted by spaces; "" when there is none. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return process.platform === "linux" ? "" : askPs("command=", pid);
  }
}

/** @param pid null for all processes */
function askPs(columns: string, pid: number | null): string {
  try {
    return execFileSync("ps", ["-o", columns, ...(pid === null ? ["-A"] : ["-p", String(pid)])], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return "";
  }
}

/**
 * Ends what a driver that was killed left running: those of `pids` whose command line still names `directory`, so that
 * a number that went to another process since is left alone. Returns how many groups were ended.
 */
export function endLeftovers(pids: readonly number[], directory: string): number {
  const ours = pids.filter((pid) => pid > 1 && commandOf(pid).includes(directory));
  for (const pid of ours) signalGroup(pid, "SIGKILL");
  return ours.length;
}
