import fc from "fast-check";
import { expect, test } from "vitest";
import { Race, RACE_RULES } from "../../../../src/compute/compiler/tuning/race.ts";

/** Runs a race to its end; `timeOf` plants the times. The names, in the order of their runs. */
function play(race: Race, timeOf: (name: string, run: number) => number): string[] {
  const order: string[] = [];
  for (let name = race.next(); name !== undefined; name = race.next()) {
    const run = order.filter((other) => other === name).length;
    order.push(name);
    race.noteRun(name, timeOf(name, run));
    if (order.length > 1000) throw new Error("a race that does not end");
  }
  return order;
}

const times = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 2, maxLength: 8 });

test("of planted times the fastest wins when it saves the margin, else the default", () => {
  fc.assert(
    fc.property(times, (planted) => {
      const names = planted.map((_, i) => `c${i}`);
      const race = new Race(names);
      play(race, (name) => planted[Number(name.slice(1))] ?? 0);
      const [usual = 0] = planted;
      const best = Math.min(...planted);
      const fastest = `c${planted.indexOf(best)}`;
      expect(race.winner()).toBe(best <= (1 - RACE_RULES.margin) * usual ? fastest : "c0");
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("noise does not flip a choice: equals stay with the default, wherever the noise falls", () => {
  const noise = fc.array(fc.double({ min: 0, max: 0.04, noNaN: true }), { minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(noise, (parts) => {
      const race = new Race(["usual", "other"]);
      play(race, (name, run) => 1 + (parts[run * 2 + (name === "usual" ? 0 : 1)] ?? 0));
      // At most 4 % apart, where 5 % are asked for.
      expect(race.winner()).toBe("usual");
    }),
    { seed: 5 },
  );
});

test("a default that was slowed down in most rounds, and once was not, stays", () => {
  const race = new Race(["usual", "other"]);
  play(race, (name, run) => (name === "other" ? 1 : run === 4 ? 1 : 3));
  expect(race.winner()).toBe("usual");
});

test("a candidate that is faster in the median but loses rounds stays behind", () => {
  const race = new Race(["usual", "other"]);
  const other = [0.5, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5];
  play(race, (name, run) => (name === "usual" ? 1 : (other[run] ?? 0)));
  expect(race.results()[1]?.ms).toBe(0.5);
  expect(race.winner()).toBe("usual");
});

test("runs alternate, and every round begins with another candidate", () => {
  const order = play(new Race(["a", "b", "c"]), () => 1);
  const rounds = Array.from({ length: RACE_RULES.runs }, (_, i) => order.slice(3 * i, 3 * i + 3));
  for (const round of rounds) expect([...round].sort()).toEqual(["a", "b", "c"]);
  expect(new Set(rounds.map(([first]) => first)).size).toBeGreaterThan(1);
});

test("a candidate that is far slower the first time is measured once", () => {
  const race = new Race(["usual", "slow", "fast"]);
  const order = play(race, (name) => ({ usual: 20, slow: 13, fast: 4 })[name] ?? 0);
  expect(order.filter((name) => name === "slow")).toHaveLength(1);
  // The default is what the others are compared with, however slow.
  expect(order.filter((name) => name === "usual")).toHaveLength(RACE_RULES.runs);
  expect(race.winner()).toBe("fast");
});

test("what is rejected is not run, and never wins, however fast it was", () => {
  const race = new Race(["usual", "wrong"]);
  race.noteRun("usual", 1);
  race.noteRun("wrong", 0.1);
  race.noteRejection("wrong", "it computes something else");
  expect(play(race, () => 1)).not.toContain("wrong");
  expect(race.winner()).toBe("usual");
  expect(race.results()[1]).toEqual({ name: "wrong", ms: 0.1, rejection: "it computes something else" });
});

test("a rejected default gives way to the fastest of the others", () => {
  const race = new Race(["usual", "a", "b"]);
  race.noteRejection("usual", "it does not compile");
  play(race, (name) => (name === "a" ? 2 : 1.5));
  expect(race.winner()).toBe("b");
});

test("where all are rejected there is nothing to choose: the default it is", () => {
  const race = new Race(["usual", "a"]);
  for (const name of ["usual", "a"]) race.noteRejection(name, "lost");
  expect(race.next()).toBeUndefined();
  expect(race.winner()).toBe("usual");
});

test("when time is up, what has begun ends with few runs, and what has not stays unknown", () => {
  const race = new Race(["usual", "a", "b"]);
  race.noteRun("usual", 1);
  race.noteRun("a", 0.5);
  race.close();
  const order = play(race, (name) => (name === "a" ? 0.5 : 1));
  expect(order.sort()).toEqual(["a", "a", "usual", "usual"]);
  expect(race.winner()).toBe("a");
  expect(race.results()[2]).toEqual({ name: "b", ms: null, rejection: null });
});

test("a default without anything to compare it with is no verdict", () => {
  const race = new Race(["usual", "a"]);
  race.noteRun("usual", 1);
  race.close();
  play(race, () => 1);
  expect(race.winner()).toBeNull();
  expect(new Race(["usual", "a"]).winner()).toBeNull();
});
