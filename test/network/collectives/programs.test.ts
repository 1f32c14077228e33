import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import {
  directAllGather,
  directAllReduce,
  directReduceScatter,
  edgeChunk,
  sparseExchange,
} from "../../../src/network/collectives/direct.ts";
import { begin, missingRanks, step } from "../../../src/network/collectives/interpreter.ts";
import type { Event, State } from "../../../src/network/collectives/interpreter.ts";
import type { Hop, Program } from "../../../src/network/collectives/program.ts";
import { ringAllGather, ringAllReduce, ringReduceScatter } from "../../../src/network/collectives/ring.ts";
import { binomialBroadcast, disseminationBarrier } from "../../../src/network/collectives/tree.ts";

/** A chunk's value as a sum of contributions: how often rank r's is in it. */
type Symbolic = readonly number[];
/** `values[rank][chunk]`. */
type Values = (Symbolic | null)[][];

const SEED = 20_260_104;
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9];

/**
 * Runs all ranks of `program` on symbols, messages between different ranks in a random order.
 * Fails on a deadlock, on messages left over and on sums of values that were never set.
 */
function run(program: Program, values: Values, random: Random): { order: string[][][] } {
  const { size } = program;
  const states: State[] = Array.from({ length: size }, (_, rank) => begin(program, rank));
  const wires = new Map<string, Symbolic[]>(); // "from>to" -> values under way, oldest first.
  const inbox = new Map<string, Symbolic[]>();
  const order: string[][][] = values.map((row) => row.map(() => []));
  const queue = (map: Map<string, Symbolic[]>, key: string): Symbolic[] => {
    if (!map.has(key)) map.set(key, []);
    return map.get(key) as Symbolic[];
  };
  const feed = (rank: number, event: Event): void => {
    const result = step(states[rank] as State, event);
    states[rank] = result.state;
    for (const effect of result.effects) {
      if (effect.kind === "send") {
        const value = values[rank]?.[effect.chunk];
        expect(value, `${program.name}: rank ${rank} sends chunk ${effect.chunk} before it has it`).toBeTruthy();
        queue(wires, `${rank}>${effect.to}`).push(value as Symbolic);
        feedLater.push(() => feed(rank, { kind: "sent" }));
      } else if (effect.kind === "write") {
        const terms = effect.from.map((from) => {
          const term = from === rank ? values[rank]?.[effect.chunk] : queue(inbox, `${from}>${rank}`).shift();
          expect(
            term,
            `${program.name}: rank ${rank} adds a chunk ${effect.chunk} of ${from} that is not there`,
          ).toBeTruthy();
          return term as Symbolic;
        });
        (values[rank] as (Symbolic | null)[])[effect.chunk] = add(terms, size);
        order[rank]?.[effect.chunk]?.push(effect.from.join("+"));
      }
    }
  };
  const feedLater: (() => void)[] = [];
  for (const rank of random.shuffle([...states.keys()])) feed(rank, { kind: "start" });
  for (;;) {
    const busy = [...wires].filter(([, messages]) => messages.length > 0);
    const choices = busy.length + feedLater.length;
    if (choices === 0) break;
    const choice = random.below(choices);
    if (choice < busy.length) {
      const [key, messages] = busy[choice] as [string, Symbolic[]];
      queue(inbox, key).push(messages.shift() as Symbolic);
      const [from, to] = key.split(">").map(Number) as [number, number];
      feed(to, { kind: "received", from });
    } else {
      feedLater.splice(choice - busy.length, 1)[0]?.();
    }
  }
  for (const state of states) {
    expect(state.phase, `${program.name} of ${size}: rank ${state.rank} waits for ${missingRanks(state)}`).toBe("done");
  }
  expect([...inbox.values()].flat(), `${program.name} of ${size}: messages nobody used`).toEqual([]);
  return { order };
}

function add(terms: readonly Symbolic[], size: number): Symbolic {
  return Array.from({ length: size }, (_, rank) => terms.reduce((sum, term) => sum + (term[rank] as number), 0));
}

/** Rank r's own contribution alone. */
function only(rank: number, size: number): Symbolic {
  return Array.from({ length: size }, (_, other) => (other === rank ? 1 : 0));
}

/** Every rank has a contribution to every chunk. */
function everyone(program: Program): Values {
  return ranks(program).map((rank) => Array.from({ length: program.chunks }, () => only(rank, program.size)));
}

/** Chunk c is at rank c alone. */
function scattered(program: Program): Values {
  return ranks(program).map((rank) =>
    ranks(program).map((chunk) => (chunk === rank ? only(rank, program.size) : null)),
  );
}

function ranks(program: Program): number[] {
  return Array.from({ length: program.size }, (_, rank) => rank);
}

const eachSize = (check: (size: number, random: Random) => void): void => {
  for (const size of SIZES) {
    for (let round = 0; round < 5; round++) check(size, new Random(SEED, size, round));
  }
};

test.each([
  [
    "direct",
    (size: number) =>
      directReduceScatter(
        size,
        Array.from({ length: size }, (_, rank) => rank),
      ),
  ],
  ["ring", ringReduceScatter],
] as const)("a %s reduce-scatter leaves chunk r at rank r, each contribution counted once", (_, make) => {
  eachSize((size, random) => {
    const program = make(size);
    const values = everyone(program);
    run(program, values, random);
    for (const rank of ranks(program)) expect(values[rank]?.[rank]).toEqual(new Array(size).fill(1));
  });
});

test("a direct reduce-scatter adds up in rank order, and only what contributors give", () => {
  eachSize((size, random) => {
    const contributors = Array.from({ length: size }, (_, rank) => rank).filter(() => random.below(2) === 0);
    const program = directReduceScatter(size, contributors);
    const values = everyone(program);
    const { order } = run(program, values, random);
    for (const rank of ranks(program)) {
      expect(values[rank]?.[rank]).toEqual(ranks(program).map((other) => (contributors.includes(other) ? 1 : 0)));
      expect(order[rank]?.[rank]).toEqual([contributors.join("+")]);
    }
  });
});

test.each([
  ["direct", directAllGather],
  ["ring", ringAllGather],
] as const)("a %s all-gather brings every chunk to every rank", (_, make) => {
  eachSize((size, random) => {
    const program = make(size);
    const values = scattered(program);
    run(program, values, random);
    for (const rank of ranks(program)) {
      expect(values[rank]).toEqual(ranks(program).map((chunk) => only(chunk, size)));
    }
  });
});

test.each([
  ["direct", directAllReduce],
  ["ring", ringAllReduce],
] as const)("a %s all-reduce counts every contribution once, everywhere", (_, make) => {
  eachSize((size, random) => {
    const program = make(size);
    const values = everyone(program);
    run(program, values, random);
    for (const row of values) for (const value of row) expect(value).toEqual(new Array(size).fill(1));
  });
});

test("a ring all-reduce sends 2(n-1) chunks a rank, to its neighbour alone", () => {
  for (const size of SIZES.slice(1)) {
    const program = ringAllReduce(size);
    for (const rank of ranks(program)) {
      const sends = program.hops.flatMap((hop) => hop(rank).sends);
      expect(sends.length).toBe(2 * (size - 1));
      expect(new Set(sends.map((send) => send.to))).toEqual(new Set([(rank + 1) % size]));
    }
  }
});

test("a broadcast reaches every rank once, from any root, in ceil(log2 n) hops", () => {
  eachSize((size, random) => {
    const root = random.below(size);
    const program = binomialBroadcast(size, root);
    const values: Values = ranks(program).map((rank) => [rank === root ? only(root, size) : null]);
    const { order } = run(program, values, random);
    expect(program.hops.length).toBe(Math.ceil(Math.log2(size)));
    for (const rank of ranks(program)) {
      expect(values[rank]).toEqual([only(root, size)]);
      expect(order[rank]?.[0]?.length).toBe(rank === root ? 0 : 1);
    }
  });
});

test("a barrier lets no rank through before it has heard, through others, from all", () => {
  eachSize((size, random) => {
    const program = disseminationBarrier(size);
    const values = everyone(program);
    run(program, values, random);
    for (const row of values) for (const count of row[0] as Symbolic) expect(count).toBeGreaterThanOrEqual(1);
  });
});

test("a sparse exchange delivers exactly its edges", () => {
  eachSize((size, random) => {
    const edges = Array.from({ length: size * size }, (_, at) => ({
      from: Math.floor(at / size),
      to: at % size,
    })).filter(({ from, to }) => from !== to && random.below(2) === 0);
    const program = sparseExchange("exchange", size, edges);
    const values: Values = ranks(program).map((rank) =>
      Array.from({ length: size * size }, (_, chunk) => (Math.floor(chunk / size) === rank ? only(rank, size) : null)),
    );
    run(program, values, random);
    for (const edge of edges) expect(values[edge.to]?.[edgeChunk(edge, size)]).toEqual(only(edge.from, size));
  });
});

test("the checker itself finds a wrong neighbour, a forgotten hop, a doubled contribution and a deadlock", () => {
  const good = ringAllReduce(4);
  const change = (at: number, alter: (rank: number, hop: Hop) => Hop): Program => ({
    ...good,
    hops: good.hops.map((hop, index) => (index === at ? (rank: number) => alter(rank, hop(rank)) : hop)),
  });
  const planted: Program[] = [
    change(2, (rank, hop) => (rank === 1 ? { ...hop, sends: [{ to: 3, chunk: 0 }] } : hop)),
    { ...good, hops: good.hops.slice(1) },
    change(4, (_, hop) => ({ ...hop, writes: hop.writes.map((write) => ({ ...write, from: [...write.from, 0] })) })),
    change(0, (rank, hop) => (rank === 0 ? { ...hop, sends: [] } : hop)),
  ];
  for (const program of planted) {
    expect(() => {
      const values = everyone(program);
      run(program, values, new Random(SEED, "planted"));
      for (const row of values) for (const value of row) expect(value).toEqual(new Array(4).fill(1));
    }).toThrow();
  }
});

test("a rank that waits names the ranks it waits for", () => {
  const started = step(begin(directAllGather(4), 1), { kind: "start" }).state;
  expect(missingRanks(started)).toEqual([0, 2, 3]);
  expect(missingRanks(step(started, { kind: "received", from: 2 }).state)).toEqual([0, 3]);
});

test("a step changes nothing in the state it is given", () => {
  const state = begin(ringAllReduce(3), 0);
  const before = JSON.stringify(state);
  step(step(state, { kind: "start" }).state, { kind: "received", from: 2 });
  expect(JSON.stringify(state)).toBe(before);
});
