/**
 * `npm run model-check`: every state that the commit protocol of three members can reach within a bound. Some minutes,
 * and 1 GB. Then the same with hashes that tell steps apart and not bytes, which must go wrong.
 */
import { explore, wander } from "./model-check/explore.ts";
import type { ExploreOptions } from "./model-check/explore.ts";

const BASIS = { hasDigest: true, steps: 2, epochsMax: 4, statesMax: 20_000_000, order: "depth" } as const;
const NONE = { kills: 0, suspends: 0, restarts: 0, timeouts: 0 };

/** What may go wrong, one bound after the other. */
const BOUNDS: readonly Pick<ExploreOptions, "budget" | "epochsMax">[] = [
  { budget: { ...NONE, kills: 1 }, epochsMax: 4 },
  { budget: { ...NONE, suspends: 1 }, epochsMax: 4 },
  { budget: { ...NONE, restarts: 1 }, epochsMax: 4 },
  { budget: { ...NONE, timeouts: 1 }, epochsMax: 4 },
  { budget: { ...NONE, suspends: 1, timeouts: 1 }, epochsMax: 3 },
];

let [states, violations] = [0, 0];
for (const { budget, epochsMax } of BOUNDS) {
  const startMs = performance.now();
  const result = explore({ ...BASIS, budget, epochsMax });
  states += result.states;
  if (result.violation) violations += 1;
  const told = result.violation
    ? `${result.violation.what}:\n  ${result.violation.actions.join("\n  ")}`
    : "no violation";
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(0);
  const bound = `${JSON.stringify(budget)}, ${epochsMax} epochs`;
  console.log(`${bound}: ${result.states} states${result.isComplete ? ", complete" : ""}, ${seconds} s: ${told}`);
}
console.log(`${states} states, ${violations} violations`);

const sleeping = { ...NONE, suspends: 1, timeouts: 1 };
const without = wander({ ...BASIS, hasDigest: false, budget: sleeping, steps: 3, epochsMax: 6 }, 10_000, 1);
const found = without.violation;
console.log(
  found ? `without the digest: ${found.what}:\n  ${found.actions.join("\n  ")}` : "without the digest: NOTHING FOUND",
);
process.exitCode = violations === 0 && found ? 0 : 1;
