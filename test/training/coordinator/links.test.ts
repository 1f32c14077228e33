/** Rows of links at the coordinator: what everybody is told, when, and what becomes of wrong ones. */
import { expect, test } from "vitest";
import { ProtocolError } from "../../../src/base/errors.ts";
import { decodeLevels, LINKED_MEMBERS_MAX, type LinkFigure } from "../../../src/network/wire/link-levels.ts";
import { parseClientMessage } from "../../../src/network/wire/validate.ts";
import { inventoryAt, Script } from "./script.ts";

const NAMES = ["a", "b", "c"];

/** A row in which every other member is 4 ms and 1,000 bytes a millisecond away, but for what is said. */
function rowOf(self: string, change: Record<string, readonly [number | null, number | null]> = {}): LinkFigure[] {
  return NAMES.filter((peer) => peer !== self).map((peer) => [peer, ...(change[peer] ?? [4, 1_000])]);
}

function formed(rows: Record<string, LinkFigure[] | undefined>): Script {
  const script = new Script({ startWith: NAMES.length });
  for (const peer of NAMES) script.join(peer);
  for (const peer of NAMES) readyWith(script, peer, 0, rows[peer]);
  return script;
}

function readyWith(script: Script, peer: string, step: number, links: LinkFigure[] | undefined): void {
  const { incarnation, epoch } = script.state.durable;
  const inventory = inventoryAt(step);
  script.say(peer, { kind: "ready", incarnation, epoch, inventory, ...(links ? { links } : {}) });
}

function linksTold(script: Script, peer: string): string | undefined {
  const plan = script.lastTo(peer, "plan");
  return plan?.kind === "plan" ? plan.links : undefined;
}

test("the first plan of an epoch has one matrix, the same for all, of the rows that came with ready", () => {
  const script = formed({ a: rowOf("a", { b: [64, 100] }), b: rowOf("b"), c: rowOf("c") });
  const told = NAMES.map((peer) => linksTold(script, peer));
  expect(new Set(told).size).toBe(1);
  const levels = decodeLevels(told[0] ?? "", 3);
  expect(levels?.[1]?.[0]).toEqual({ latency: 9, bandwidth: 7 }); // From b to a: 64 ms, 128 bytes a millisecond.
  expect(levels?.[0]?.[1]).toEqual({ latency: 5, bandwidth: 10 });
  for (const peer of NAMES) script.vote(peer);
  expect(script.committedStep).toBe(1);
  expect(linksTold(script, "a"), "the second plan has nothing new").toBeUndefined();
});

test("without any row, and for two members, plans are as they were", () => {
  expect(linksTold(formed({}), "a")).toBeUndefined();
  const script = new Script({ startWith: 2 });
  for (const peer of ["a", "b"]) script.join(peer);
  readyWith(script, "a", 0, [["b", 4, 1_000]]);
  readyWith(script, "b", 0, [["a", 4, 1_000]]);
  expect(script.state.phase.kind).toBe("stepping");
  expect(linksTold(script, "a")).toBeUndefined();
});

test("what nobody measured is as usual in the room, and there and back are one latency", () => {
  const script = formed({ a: rowOf("a", { b: [64, null] }), b: [], c: rowOf("c") });
  const levels = decodeLevels(linksTold(script, "b") ?? "", 3);
  expect(levels?.[0]?.[1]).toEqual({ latency: 9, bandwidth: 10 });
  expect(levels?.[2]?.[1]).toEqual({ latency: 5, bandwidth: 10 });
});

test("noise changes nothing, a change goes out with a plan 10 s later at the soonest", () => {
  const script = formed({ a: rowOf("a"), b: rowOf("b"), c: rowOf("c") });
  const noisy = rowOf("a", { b: [6, 700], c: [3, 1_600] });
  vote(script, noisy);
  script.pass(11_000, NAMES);
  vote(script, noisy);
  expect(linksTold(script, "b")).toBeUndefined();
  const slow = rowOf("a", { b: [4, 50] });
  vote(script, slow);
  const told = linksTold(script, "b");
  expect(decodeLevels(told ?? "", 3)?.[1]?.[0]).toEqual({ latency: 5, bandwidth: 6 });
  vote(script, rowOf("a", { b: [4, 5_000] }));
  expect(linksTold(script, "b"), "too soon").toBeUndefined();
  script.pass(11_000, NAMES);
  vote(script, undefined);
  expect(decodeLevels(linksTold(script, "b") ?? "", 3)?.[1]?.[0]?.bandwidth).toBe(12);
  expect(script.lines("abort")).toEqual([]);
  expect(script.log.map((record) => JSON.stringify(record)).join("")).not.toContain("links");
});

/** A step that all vote for, "a" with a row. */
function vote(script: Script, links: LinkFigure[] | undefined): void {
  for (const peer of NAMES) script.vote(peer, peer === "a" && links ? { links } : {});
}

test("a row that names a stranger, itself or somebody twice is left out, in one sentence, and harms nobody", () => {
  const right = rowOf("a");
  const cases: [LinkFigure[], string][] = [
    [[...right, ["z", 1, 1]], "it names z, which is not in the epoch"],
    [[...right, ["a", 1, 1]], "it names itself"],
    [[...right, ["b", 1, 1]], "it names b twice"],
  ];
  for (const [row, fault] of cases) {
    const script = formed({ a: row, b: rowOf("b"), c: rowOf("c") });
    expect(script.lines("decision").map(({ text }) => text)).toContain(
      `What a says of its links is left out: ${fault}.`,
    );
    expect(script.members).toEqual(NAMES);
    expect(linksTold(script, "a")).toBeDefined();
    expect(script.state.peers.get("a")?.links.size).toBe(0);
    for (const peer of NAMES) script.vote(peer);
    expect(script.committedStep).toBe(1);
  }
});

test("rows of no numbers, negative ones or too long ones are refused where they come in", () => {
  const ready = {
    kind: "ready",
    incarnation: 1,
    epoch: 1,
    inventory: { parameterRoots: [], optimizer: [], stored: [] },
  };
  const refusalOf = (links: unknown): string => {
    try {
      parseClientMessage(JSON.stringify({ ...ready, links }));
    } catch (error) {
      if (error instanceof ProtocolError) return error.message;
    }
    return "";
  };
  expect(
    refusalOf([
      ["b", 4, 1_000],
      ["c", null, null],
    ]),
  ).toBe("");
  expect(refusalOf([["b", "NaN", 1]])).toMatch(/^client message "ready": at links\.0\.1, expected /);
  expect(refusalOf([["b", -1, 1]])).toMatch(/at links\.0\.1, expected >=0, found -1$/);
  expect(refusalOf([["b", 1, 1e300]])).toMatch(/at links\.0\.2, expected <=1000000000/);
  expect(refusalOf([["b", 1]])).toMatch(/at links\.0/);
  expect(refusalOf([["b", 1, 1, 1]])).toMatch(/at links\.0/);
  expect(refusalOf([["../b", 1, 1]])).toMatch(/at links\.0\.0/);
  const many = Array.from({ length: LINKED_MEMBERS_MAX }, (_, at) => [`p${at}`, 1, 1]);
  expect(refusalOf(many)).toMatch(/at links, expected <=23, found 24/);
});
