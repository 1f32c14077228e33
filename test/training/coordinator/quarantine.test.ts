/** Quarantines outlive the coordinator: what a device was told holds after a restart, for as long as it was told. */
import { expect, test } from "vitest";
import { Compaction } from "../../../signaling-server/log/compaction.ts";
import { CorruptDataError } from "../../../src/base/errors.ts";
import { Draft } from "../../../src/training/coordinator/draft.ts";
import { DEFAULT_LIMITS, type LogRecord } from "../../../src/training/coordinator/protocol.ts";
import { noteQuarantine, quarantineOf } from "../../../src/training/coordinator/quarantine.ts";
import { initialState, replay, type State } from "../../../src/training/coordinator/state.ts";
import { Script, WALL_MS } from "./script.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A coordinator that puts `device` out, and says so in its log. */
function putOut(script: Script, device: string): void {
  const draft = new Draft(script.state, script.nowMs, DEFAULT_LIMITS);
  noteQuarantine(draft, device, "It differs.");
  script.state = draft.state;
  for (const effect of draft.effects) if (effect.kind === "append") script.log.push(effect.record);
}

function refusalOf(script: Script, device: string): string | null {
  const peer = `tab-of-${device}`;
  script.join(peer, undefined, device);
  const refused = script.lastTo(peer, "refused");
  return refused?.kind === "refused" ? refused.reason : null;
}

function fold(records: readonly LogRecord[]): State["durable"] {
  return records.reduce(replay, initialState()).durable;
}

test("a restarted coordinator refuses who was put out, with the reason, for the rest of the time", () => {
  const script = new Script();
  script.nowMs = 500_000; // Its own clock is not the next one's.
  putOut(script, "d1");
  const soon = script.restarted(WALL_MS + 500_000 + 30_000);
  expect(soon.state.durable.quarantines).toEqual(script.state.durable.quarantines);
  expect(refusalOf(soon, "d1")).toBe("It differs. It may try again in 2 minutes.");
  expect(refusalOf(soon, "d2")).toBe(null);
  const later = script.restarted(WALL_MS + 500_000 + 119_000);
  expect(refusalOf(later, "d1")).toBe("It differs. It may try again in 1 minute.");
  later.pass(1_000, []);
  later.sent.length = 0;
  expect(refusalOf(later, "d1")).toBe(null);
});

test("how often a device was put out is remembered for a day, across restarts", () => {
  const script = new Script();
  putOut(script, "d1");
  const second = script.restarted(WALL_MS + HOUR_MS);
  putOut(second, "d1");
  expect(second.state.durable.quarantines.get("d1")?.count).toBe(2);
  expect(refusalOf(second, "d1")).toMatch(/ 4 minutes/);
  const nextDay = second.restarted(WALL_MS + 26 * HOUR_MS);
  putOut(nextDay, "d2");
  expect([...nextDay.state.durable.quarantines.keys()]).toEqual(["d2"]);
});

test("a clock that was set back makes no quarantine longer, and does not end it", () => {
  const script = new Script();
  putOut(script, "d1");
  const back = script.restarted(WALL_MS - 24 * HOUR_MS);
  expect(refusalOf(back, "d1")).toMatch(/ 2 minutes/);
  back.pass(2 * MINUTE_MS, []);
  back.sent.length = 0;
  expect(refusalOf(back, "d1")).toBe(null);
});

test("64 devices are kept out at most: beyond that, the one whose time ends first is given up", () => {
  const script = new Script();
  for (let device = 0; device < 70; device++) {
    script.nowMs += 100;
    putOut(script, `d${device}`);
  }
  const { quarantines } = script.state.durable;
  expect(quarantines.size).toBe(64);
  expect([...quarantines.keys()].slice(0, 2)).toEqual(["d6", "d7"]);
  expect(quarantineOf(script.state, "d69", script.nowMs)).toMatch(/ 2 minutes/);
});

test("compaction keeps the quarantines that still hold, and nothing of those that are forgotten", () => {
  const script = new Script();
  putOut(script, "d1");
  putOut(script, "d2");
  putOut(script, "d2");
  const nextDay = script.restarted(WALL_MS + 24 * HOUR_MS + 3 * MINUTE_MS);
  putOut(nextDay, "d3");
  const compaction = new Compaction();
  for (const record of nextDay.log) compaction.note(record);
  const short = compaction.records();
  const kept = short.flatMap((record) => (record.kind === "quarantine" ? [`${record.device} ${record.count}`] : []));
  expect(kept).toEqual(["d2 2", "d3 1"]);
  expect(fold(short).quarantines).toEqual(fold(nextDay.log).quarantines);
});

test("a log without quarantines folds to none, and a record of no known kind is refused by name", () => {
  expect(fold(new Script().log).quarantines.size).toBe(0);
  const unknown = { kind: "prophecy" } as unknown as LogRecord;
  expect(() => fold([unknown])).toThrow(CorruptDataError);
  expect(() => fold([unknown])).toThrow(/found \{"kind":"prophecy"\}/);
});

test("a device that was put out owns no shards for a day where two others can, and all of them where nobody else is", () => {
  const owners = (peers: readonly string[], hoursLater: number): string[] => {
    const script = new Script({ startWith: peers.length });
    putOut(script, "d1");
    const back = script.restarted(WALL_MS + hoursLater * HOUR_MS);
    for (const peer of peers) back.join(peer, undefined, `d${peer}`);
    const { owner = [], replica = [] } = back.state.epoch?.map ?? {};
    const holders = new Set([...owner, ...replica]);
    return back.members.filter((_, rank) => holders.has(rank)).sort();
  };
  expect(owners(["1", "2", "3"], 1)).toEqual(["2", "3"]);
  expect(owners(["1", "2"], 1)).toEqual(["1", "2"]);
  expect(owners(["1"], 1)).toEqual(["1"]);
  expect(owners(["1", "2", "3"], 25)).toEqual(["1", "2", "3"]);
});
