/** What one seed of the network's simulation is about: members, links, harms, and what they compute together. */
import { Random } from "../../../src/base/random.ts";
import { ALGORITHMS } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName, Verb } from "../../../src/network/collectives/algorithms.ts";
import type { NetworkOptions, NoiseRates } from "../../../src/network/transport/simulated/simulated-network.ts";

/** Verbs, and the codecs that their messages go through. */
export interface Task {
  readonly verb: Verb | "barrier";
  readonly algorithm: AlgorithmName | undefined;
  readonly codec: "none" | "float16" | "int8";
  /** Elements of a member's buffer. */
  readonly length: number;
  /** Which peer is the root, where there is one; the next that is left, if it is gone. */
  readonly root: number;
}

/** Something that goes wrong. */
export interface Harm {
  readonly kind: "kill" | "freeze" | "freezeAndThaw" | "breakLinks" | "cut" | "cutAndHeal" | "cutOneWay";
  readonly atMs: number;
  readonly forMs: number;
  readonly victim: number;
  readonly other: number;
}

export interface Scenario {
  readonly seed: number;
  readonly size: number;
  readonly links: Omit<NetworkOptions, "clock" | "random">;
  readonly noise: NoiseRates;
  readonly harms: readonly Harm[];
  readonly tasks: readonly Task[];
  readonly framePayloadBytes: number;
}

const CRASHES: readonly Harm["kind"][] = ["kill", "freeze"];
const HARMS: readonly Harm["kind"][] = [
  ...CRASHES,
  ...CRASHES,
  "freezeAndThaw",
  "breakLinks",
  "cut",
  "cutAndHeal",
  "cutOneWay",
];

/** The scenario of a seed. */
export function scenarioOf(seed: number, nodesMax: number): Scenario {
  const random = new Random(seed, "network scenario");
  const size = 1 + random.below(nodesMax);
  const isNoisy = random.below(3) === 0;
  const count = size < 3 ? random.below(2) : random.below(3);
  return {
    seed,
    size,
    links: { latencyMs: random.below(30), jitterMs: random.below(20), bytesPerMs: 20 + random.below(2_000) },
    noise: isNoisy ? noiseOf(random) : {},
    harms: Array.from({ length: count }, () => harmOf(random, size)),
    tasks: Array.from({ length: 3 }, () => taskOf(random, size)),
    framePayloadBytes: 64 << random.below(8),
  };
}

function noiseOf(random: Random): NoiseRates {
  const rate = (): number => (random.below(2) === 0 ? 0 : 0.01 * random.uniform());
  return {
    loss: rate() / 4,
    duplication: 5 * rate(),
    reordering: 5 * rate(),
    reorderMsMax: 1 + random.below(3_000),
    corruption: rate(),
  };
}

function harmOf(random: Random, size: number): Harm {
  return {
    kind: random.pick(HARMS),
    atMs: random.below(600),
    forMs: 200 + random.below(6_000),
    victim: random.below(size),
    other: random.below(size),
  };
}

function taskOf(random: Random, size: number): Task {
  const verb = random.pick([...(Object.keys(ALGORITHMS) as Verb[]), "all-reduce" as const, "barrier" as const]);
  const names = verb === "barrier" ? [] : (Object.keys(ALGORITHMS[verb]) as AlgorithmName[]);
  return {
    verb,
    algorithm: names.length > 0 ? random.pick(names) : undefined,
    codec: random.pick(["none", "none", "float16", "int8"] as const),
    length: random.pick([0, 1, 7, 100, 1_000, 3_000]),
    root: random.below(size),
  };
}
