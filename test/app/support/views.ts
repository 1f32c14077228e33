/** Rooms to show: plain views, a function of their arguments alone. */
import type { Offer, RosterEntry } from "../../../src/network/wire/messages.ts";
import type { StepTimes } from "../../../src/network/wire/run-line.ts";
import type { PathKind } from "../../../src/network/transport/transport.ts";
import { Random } from "../../../src/base/random.ts";
import type { RoomView } from "../../../src/host/browser/room-view.ts";
import { summarizeMemory } from "../../../src/training/summarize-memory.ts";
import { fakeSnapshot } from "./memories.ts";

const ENGINES = ["webgpu: Apple M2", "webgpu: SwiftShader", "reference: CPU (JavaScript)", "webgpu: NVIDIA RTX 4060"];
/** This tab gives all that it has; the others have limits. */
const OFFERS: readonly Offer[] = [
  { isVisible: true, share: 1 },
  { isVisible: false, share: 0.5, minutesLeft: 12, battery: { level: 0.4, charging: false } },
  { isVisible: true, share: 0.25, memoryBudgetMiB: 512, battery: { level: 0.8, charging: true } },
];
const PATHS: readonly PathKind[] = ["webrtc", "port", "relay"];
const BYTES_A_STEP = 812_544;

export function fakePeer(index: number): string {
  return `peer-${index}-7f3a9c`;
}

function fakeMember(index: number, count: number): RosterEntry {
  return {
    peer: fakePeer(index),
    device: `device-${index}`,
    engine: ENGINES[index % ENGINES.length] ?? "",
    state: "training",
    slots: Math.max(0, Math.floor(8 / count) + (index < 8 % count ? 1 : 0)),
    slotsPerSecond: 6.4 / (index + 1),
    offer: OFFERS[index % OFFERS.length] ?? {},
  };
}

function transportOf(peers: readonly string[]): Record<string, PathKind> {
  const kind = (at: number): PathKind => PATHS[at % PATHS.length] ?? "webrtc";
  const pairs = peers.flatMap((a, at) =>
    peers.slice(at + 1).map((b, other) => [`${a}|${b}`, kind(at + other)] as const),
  );
  return Object.fromEntries(pairs);
}

/** A run in full swing at `step`, seen by the first of `memberCount` tabs. */
export function trainingView(step: number, memberCount: number, changes: Partial<RoomView> = {}): RoomView {
  const random = new Random(11, "views");
  const history = Array.from({ length: step }, (_, at) => ({
    step: at + 1,
    loss: 1.75 + 2.42 * Math.exp(-at / 45) + 0.09 * random.normal(),
  }));
  const members = Array.from({ length: memberCount }, (_, index) => fakeMember(index, memberCount));
  const times: Record<string, StepTimes> = {};
  members.forEach((member, index) => {
    times[member.peer] = {
      compute: 180 + 90 * index,
      network: 44 + 5 * (index % 3),
      waiting: 60 * (memberCount - index),
    };
  });
  const loss = history.at(-1)?.loss ?? null;
  return {
    phase: "training",
    note: `This tab computes ${members[0]?.slots ?? 0} of 8 slots of each step.`,
    problem: null,
    self: fakePeer(0),
    spec: {
      run: "char-gpt",
      seed: 7,
      steps: 300,
      checkpointEvery: 5,
      startWith: 1,
      data: { hash: "ab".repeat(32), bytes: 1_115_394, name: "tinyshakespeare.txt" },
      settings: {},
    },
    engine: { kind: "webgpu", name: "Apple M2", reason: "" },
    step,
    loss,
    incarnation: 1,
    epoch: memberCount,
    members,
    paths: Object.fromEntries(members.slice(1).map((member, index) => [member.peer, PATHS[index % 3] ?? "webrtc"])),
    links: Object.fromEntries(
      members.slice(1).map(({ peer }, index) => {
        const path = PATHS[index % 3] ?? "webrtc";
        return [peer, { path, roundTripMs: index === 2 ? null : 0.4 + 3 * index, bytesPerSecond: 810_000 * index }];
      }),
    ),
    history,
    lastStep:
      step === 0
        ? null
        : {
            type: "step",
            step,
            loss: loss ?? 0,
            incarnation: 1,
            epoch: memberCount,
            members: members.map((member) => member.peer),
            chain: "cd".repeat(32),
            ms: 520,
            transport: transportOf(members.map(({ peer }) => peer)),
            bytesSent: {},
            times,
          },
    bytesSent: step * BYTES_A_STEP,
    bytesSentByBrowser: step * BYTES_A_STEP * 1.03,
    checkpoint:
      step < 5
        ? null
        : {
            step: step - (step % 5),
            generation: Math.floor(step / 5),
            copies: 3,
            scheme: [1, 3],
            lossChance: 0.00002,
            ms: 84,
          },
    storage: { kind: "indexed-db", reason: null, isPersistent: true },
    sample: step < 10 ? null : { step: step - (step % 10), text: sampleAt(step) },
    log: ["This room trains char-gpt, seed 7.", "Copper Wren joined.", "Quiet Birch joined.", "Checkpoint at step 5."],
    needsFile: null,
    memory: summarizeMemory(fakeSnapshot([256, 256, 128, 64])),
    memories: Object.fromEntries(
      members.map(({ peer }, at) => [peer, summarizeMemory(fakeSnapshot([96, 64 + 8 * at], at + 2))]),
    ),
    ...changes,
  };
}

function sampleAt(step: number): string {
  if (step < 40) return "e tnoh  aes,r i\nohtd yWe  lsn:ao hIt ,e r wtu\n  seoa nhd";
  if (step < 150)
    return "KING:\nThe mand wit he sore of that, I with\nAnd ther cor in the bare the lood,\nWhat with and me she";
  return "KING HENRY:\nWhat say you to my lord, and let the world\nBe gentle to the heart of such a crown?\n\nGLOUCESTER:\nMy gracious sovereign, I will stand with thee,\nAnd bring the morning where thy father slept.";
}
