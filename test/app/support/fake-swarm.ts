/**
 * Stands in for `hearth/swarm` in the page under test: rooms are made as ever, but the test shows their views through
 * `window.hearthFake`, and sees there what the page asked for. So every state of a room can be put on the page at will.
 */
import { OptionError } from "../../../src/base/errors.ts";
import { initialView } from "../../../src/host/browser/room-model.ts";
import type { RoomView } from "../../../src/host/browser/room-view.ts";

export { Random } from "../../../src/base/random.ts";
export { createRoom } from "../../../src/host/browser/create-room.ts";

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
}

export async function join(roomUrl: string, options: { device: string; signal: AbortSignal }): Promise<Run> {
  fake.calls.push(`join ${options.device} ${new URL(roomUrl).pathname}`);
  if (fake.refusal !== null) throw new OptionError(fake.refusal);
  const run = new Run();
  runs.add(run);
  options.signal.addEventListener("abort", () => void run.leave());
  return run;
}
