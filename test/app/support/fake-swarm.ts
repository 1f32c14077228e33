/**
 * Stands in for `hearth/swarm` in the page under test: rooms are made as ever, but the test shows their views through
 * `window.hearthFake`, and sees there what the page asked for. So every state of a room can be put on the page at will.
 */
import { OptionError } from "../../../src/base/errors.ts";
import { initialView } from "../../../src/host/browser/room-model.ts";
import type { RoomView } from "../../../src/host/browser/room-view.ts";

export { Random } from "../../../src/base/random.ts";
export { createRoom } from "../../../src/host/browser/create-room.ts";
export { joinPool } from "../../../src/host/browser/pool.ts";

declare global {
  interface Window {
    hearthFake: HearthFake;
  }
}

/** What the test and the page share. */
export interface HearthFake {
  /** Calls of the page, in order: "pause", "join reference /room/abc". */
  calls: string[];
  /** Makes the next join fail with this sentence. */
  refusal: string | null;
  show(view: RoomView): void;
}

const runs = new Set<Run>();
const fake: HearthFake = {
  calls: [],
  refusal: sessionStorage.getItem("refusal"),
  show: (view) => runs.forEach((run) => run.show(view)),
};
window.hearthFake = fake;

export class Run extends EventTarget {
  view: RoomView = initialView("");
  show(view: RoomView): void {
    this.view = view;
    this.dispatchEvent(new Event("view"));
  }
  async pause(): Promise<void> {
    fake.calls.push("pause");
    this.show({ ...this.view, phase: "paused", note: "This tab rests; the others train on." });
  }
  async resume(): Promise<void> {
    fake.calls.push("resume");
    this.show({ ...this.view, phase: "training", note: "Back at work." });
  }
  async leave(): Promise<void> {
    fake.calls.push("leave");
    this.show({ ...this.view, phase: "stopped", note: "This tab has left; the others train on." });
    runs.delete(this);
  }
  async offerFile(file: Blob): Promise<void> {
    fake.calls.push(`offerFile ${file.size}`);
    throw new OptionError("This is not the file the room trains on.");
  }
  async sampleNow(): Promise<void> {
    fake.calls.push("sampleNow");
  }
  async setMemoryBudget(mebibytes: number | null): Promise<void> {
    fake.calls.push(`setMemoryBudget ${mebibytes}`);
    const { memory } = this.view;
    if (memory) this.show({ ...this.view, memory: { ...memory, budgetBytes: mebibytes && mebibytes * 1024 ** 2 } });
  }
  async setShare(share: number): Promise<void> {
    fake.calls.push(`setShare ${share}`);
    this.#offer({ share });
  }
  async setMinutes(minutes: number | null): Promise<void> {
    fake.calls.push(`setMinutes ${minutes}`);
    this.#offer({ minutesLeft: minutes ?? undefined });
  }
  /** What the room would say of this tab a moment later. */
  #offer(change: { share?: number; minutesLeft?: number | undefined }): void {
    const members = this.view.members.map(({ offer, ...member }) => {
      const { minutesLeft, ...told } = member.peer === this.view.self ? { ...offer, ...change } : { ...offer };
      return { ...member, offer: { ...told, ...(minutesLeft === undefined ? {} : { minutesLeft }) } };
    });
    this.show({ ...this.view, members });
  }
}

export interface FakeJoinOptions {
  readonly device: string;
  readonly memoryBudgetMiB: number | null;
  readonly share: number;
  readonly signal: AbortSignal;
}

export async function join(roomUrl: string, options: FakeJoinOptions): Promise<Run> {
  const budget = options.memoryBudgetMiB === null ? "" : ` ${options.memoryBudgetMiB} MiB`;
  const share = options.share === 1 ? "" : ` ${100 * options.share} %`;
  fake.calls.push(`join ${options.device} ${new URL(roomUrl).pathname}${budget}${share}`);
  if (fake.refusal !== null) throw new OptionError(fake.refusal);
  const run = new Run();
  runs.add(run);
  options.signal.addEventListener("abort", () => void run.leave());
  return run;
}
