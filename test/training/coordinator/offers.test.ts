import { expect, test } from "vitest";
import type { Offer } from "../../../src/network/wire/messages.ts";
import { Script } from "./script.ts";

/** Who owns shards in the epoch of "a", "b" and "c", of which "c" made `offer`, said so many minutes ago. */
function ownersWith(offer: Offer, minutesAgo = 0): string[] {
  const script = new Script({ startWith: 3 });
  script.join("c");
  script.say("c", { kind: "offer", offer });
  script.pass(minutesAgo * 60_000, ["c"]);
  script.join("a");
  script.join("b");
  const owners = new Set(script.state.epoch?.map.owner ?? []);
  return script.members.filter((_, rank) => owners.has(rank)).sort();
}

test("whoever goes soon, or is low on battery, owns no shards; whoever stays does", () => {
  expect(ownersWith({ minutesLeft: 30, battery: { level: 0.1, charging: true }, share: 0.5 })).toEqual(["a", "b", "c"]);
  expect(ownersWith({ minutesLeft: 1 })).toEqual(["a", "b"]);
  expect(ownersWith({ minutesLeft: 3 }, 2)).toEqual(["a", "b"]);
  expect(ownersWith({ battery: { level: 0.1, charging: false } })).toEqual(["a", "b"]);
});

test("everybody's roster tells what each gives, in numbers that change seldom", () => {
  const script = new Script({ startWith: 2 });
  script.join("a");
  const offer = { share: 0.5, minutesLeft: 10, battery: { level: 0.873, charging: false } };
  script.say("a", { kind: "offer", offer });
  const rosters = (): unknown[] =>
    script.sent.flatMap(({ message }) => (message.kind === "roster" ? [message.members[0]?.offer] : []));
  script.pass(2_000, ["a"]);
  const told = { share: 0.5, battery: { level: 0.85, charging: false } };
  expect(rosters().at(-1)).toEqual({ ...told, minutesLeft: 10 });
  const { length } = rosters();
  script.say("a", { kind: "offer", offer: { ...offer, battery: { level: 0.869, charging: false } } });
  script.pass(50_000, ["a"]);
  expect(
    rosters()
      .slice(length)
      .filter((found) => found !== undefined).length,
  ).toBeLessThanOrEqual(2);
  script.pass(120_000, ["a"]);
  expect(rosters().at(-1)).toMatchObject({ minutesLeft: 8 });
});

test("where all go soon they own the shards all the same", () => {
  const script = new Script({ startWith: 2 });
  for (const peer of ["a", "b"]) {
    script.join(peer);
    if (script.state.phase.kind === "idle") script.say(peer, { kind: "offer", offer: { minutesLeft: 1 } });
  }
  script.say("b", { kind: "offer", offer: { minutesLeft: 1 } });
  script.say("a", { kind: "leave", reason: "paused" });
  expect(script.members).toEqual(["b"]);
  expect(new Set(script.state.epoch?.map.owner)).toEqual(new Set([0]));
});
