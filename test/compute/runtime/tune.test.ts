/** Tuning on a device whose times and mistakes are planted. */
import { expect, test } from "vitest";
import { AbortedError, OptionError } from "../../../src/base/errors.ts";
import { unary } from "../../../src/compute/compiler/graph.ts";
import type { CandidateResult, TuningTable } from "../../../src/compute/compiler/tuning/table.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { RuntimeTuning } from "../../../src/compute/runtime/runtime-tuning.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { tune, tuningTable, type TuningRow } from "../../../src/compute/runtime/tune.ts";
import type { TuningStore } from "../../../src/compute/runtime/tuning-store.ts";
import { ScriptedDevice, WorkClock, type Script } from "./scripted-device.ts";

const COUNT = 8192;

/** Elements of an invocation of an elementwise kernel over COUNT elements: the candidate's name. */
function eachOf({ invocations, body }: Kernel): string {
  const each = COUNT / invocations;
  const isLoop = body.some(({ kind }) => kind === "for");
  return each === 4 && !isLoop ? "4 neighbours" : String(each);
}

/** Times of the candidates 1 (the default), 4 neighbours, 2, 4, 8 and 16. */
function script(
  times: Readonly<Record<string, number>>,
  faults: Readonly<Record<string, "wrong" | "refused" | "deadly">> = {},
): Script {
  return { msOf: (kernel) => times[eachOf(kernel)] ?? 1, faultOf: (kernel) => faults[eachOf(kernel)] ?? null };
}

async function compute(runtime: Runtime, count: number = COUNT): Promise<void> {
  await runtime.realize([unary("tanh", runtime.leaf([count], "float32"))]);
}

/** A runtime that has computed an elementwise kernel of COUNT elements, once. */
async function open(device: ScriptedDevice, store: TuningStore | null = null): Promise<Runtime> {
  const runtime = createRuntime(device, { tuning: await RuntimeTuning.load(device.info, store) });
  await compute(runtime);
  return runtime;
}

function storeOf(): TuningStore & { table: TuningTable; saves: number } {
  return {
    table: new Map(),
    saves: 0,
    async load() {
      return this.table;
    },
    async save(_adapter, table) {
      this.table = table;
      this.saves += 1;
    },
  };
}

function rowOf(runtime: Runtime): TuningRow {
  const [row] = tuningTable(runtime);
  if (row === undefined) throw new Error("test: expected a row");
  return row;
}

function rejectionOf(candidates: readonly CandidateResult[], name: string): string | null {
  return candidates.find((candidate) => candidate.name === name)?.rejection ?? null;
}

const ORDER = ["1", "4 neighbours", "2", "4", "8", "16"];
const SLOW_DEFAULT = { 1: 4, "4 neighbours": 6, 2: 3, 4: 1, 8: 2, 16: 5 };

test("the planted fastest candidate wins, and the table says how much it saves", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  expect(runtime.tuning.waiting()).toHaveLength(1);
  const report = await tune(runtime);
  expect(report).toMatchObject({ tuned: 1, waiting: 0, isDeviceLost: false });
  const row = rowOf(runtime);
  expect(row).toMatchObject({ kind: "elementwise", shapeClass: "8192, 1 to 1", dtype: "float32" });
  expect(row).toMatchObject({ default: "1", winner: "4", speedUp: 4 });
  expect(row.candidates.map(({ name, ms }) => [name, ms])).toEqual(Object.entries(SLOW_DEFAULT).sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b))); // prettier-ignore
  runtime.destroy();
});

test("a plan made after tuning uses the winner, and one made before keeps what it has", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  const steps = unary("tanh", runtime.leaf([COUNT], "float32"));
  const before = await runtime.compile([steps], []);
  await tune(runtime);
  const after = await runtime.compile([steps], []);
  expect(before.explain().kernels.map(({ invocations }) => invocations)).toEqual([COUNT]);
  expect(after.explain().kernels.map(({ invocations }) => invocations)).toEqual([COUNT / 4]);
  runtime.destroy();
});

test("a winner of one size serves others of its class, and no other class", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  await tune(runtime);
  const invocations = async (count: number): Promise<number | undefined> => {
    const plan = await runtime.compile([unary("tanh", runtime.leaf([count], "float32"))], []);
    return plan.explain().kernels[0]?.invocations;
  };
  expect(await invocations(8208)).toBe(8208 / 4);
  expect(await invocations(4096)).toBe(4096);
  runtime.destroy();
});

test("a candidate that computes something else is rejected with the reason, however fast it is", async () => {
  const runtime = await open(new ScriptedDevice(script({ ...SLOW_DEFAULT, 8: 0.1 }, { 8: "wrong" })));
  await tune(runtime);
  const { winner, candidates } = rowOf(runtime);
  expect(winner).toBe("4");
  expect(rejectionOf(candidates, "8")).toMatch(/8 computes something else, element 0: expected .*, found /);
  runtime.destroy();
});

test("a candidate that does not compile is rejected, and the others go on", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT, { 4: "refused" })));
  await tune(runtime);
  const { winner, candidates } = rowOf(runtime);
  expect(winner).toBe("8");
  expect(rejectionOf(candidates, "4")).toMatch(/refused/);
  runtime.destroy();
});

test("a candidate that loses the device is rejected, and measuring goes on with another device", async () => {
  const planted = script(SLOW_DEFAULT, { 2: "deadly" });
  const runtime = await open(new ScriptedDevice(planted));
  let opened = 0;
  const report = await tune(runtime, {
    openDevice: async () => {
      opened += 1;
      return new ScriptedDevice(planted);
    },
  });
  expect(report).toMatchObject({ tuned: 1, isDeviceLost: false });
  expect(opened).toBe(2);
  expect(rowOf(runtime).winner).toBe("4");
  expect(rejectionOf(rowOf(runtime).candidates, "2")).toMatch(/device-lost/);
  // The runtime's own device has never seen it.
  await compute(runtime);
  runtime.destroy();
});

test("without another device a loss is the end, and the candidate is not tried again by who comes next", async () => {
  const store = storeOf();
  const planted = script(SLOW_DEFAULT, { 2: "deadly" });
  const runtime = await open(new ScriptedDevice(planted), store);
  expect(await tune(runtime)).toMatchObject({ tuned: 0, waiting: 1, isDeviceLost: true });
  expect((await runtime.device.lost).code).toBe("device-lost");
  const device = new ScriptedDevice(planted);
  const next = await open(device, store);
  expect(await tune(next)).toMatchObject({ tuned: 1, isDeviceLost: false });
  expect(rowOf(next).winner).toBe("4");
  expect(device.measured).not.toContain(COUNT / 2);
  next.destroy();
});

test("the device of another adapter is refused", async () => {
  const runtime = await open(new ScriptedDevice(script({})));
  const other = new ScriptedDevice(script({}));
  const openDevice = async (): Promise<ScriptedDevice> =>
    Object.assign(other, { info: { ...other.info, name: "other" } });
  await expect(tune(runtime, { openDevice })).rejects.toThrow(/expected another device of .*scripted.*, found .*other/);
  expect(runtime.tuning.isRunning).toBe(false);
  runtime.destroy();
});

test("what was found out is there for the next runtime on the device, with what others have stored since", async () => {
  const store = storeOf();
  const [first, second] = await Promise.all([0, 1].map(() => open(new ScriptedDevice(script(SLOW_DEFAULT)), store)));
  if (first === undefined || second === undefined) throw new Error("test: two runtimes");
  await tune(first);
  await compute(second, 2 * COUNT);
  await tune(second);
  expect(store.table.size).toBe(2);
  const third = await open(new ScriptedDevice(script(SLOW_DEFAULT)), store);
  expect(third.tuning.waiting()).toEqual([]);
  expect(tuningTable(third).map(({ winner }) => winner)).toContain("4");
  for (const runtime of [first, second, third]) runtime.destroy();
});

test("the budget bounds the work: no site is begun after it, and the one at hand is brought to an end", async () => {
  const clock = new WorkClock();
  const device = new ScriptedDevice({ ...script(SLOW_DEFAULT), compileMs: 100 }, clock);
  const runtime = await open(device);
  for (const factor of [2, 4, 8]) await compute(runtime, factor * COUNT);
  // A candidate takes 100 ms to compile. Each measurement takes 4 to 8 ms, and there are at most 5 of each.
  const report = await tune(runtime, { clock, budgetMs: 700 });
  expect(report.spentMs).toBeGreaterThanOrEqual(700);
  expect(report.spentMs).toBeLessThan(700 + 100 + 5 * 5 * 8);
  expect(report.waiting).toBeGreaterThan(0);
  expect(report.tuned).toBeGreaterThan(0);
  runtime.destroy();
});

test("a site's budget bounds its candidates: those not begun stay unknown", async () => {
  const clock = new WorkClock();
  const runtime = await open(new ScriptedDevice({ ...script(SLOW_DEFAULT), compileMs: 100 }, clock));
  const report = await tune(runtime, { clock, siteMs: 250 });
  expect(report.tuned).toBe(1);
  const { candidates, winner } = rowOf(runtime);
  expect(candidates.map(({ ms }) => ms !== null)).toEqual([true, true, true, false, false, false]);
  expect(winner).toBe("2");
  runtime.destroy();
});

test("a budget that is too small for two candidates decides nothing, and says so", async () => {
  const clock = new WorkClock();
  const runtime = await open(new ScriptedDevice({ ...script(SLOW_DEFAULT), compileMs: 100 }, clock));
  expect(await tune(runtime, { clock, budgetMs: 50 })).toMatchObject({ tuned: 0, waiting: 1 });
  expect(tuningTable(runtime)).toEqual([]);
  runtime.destroy();
});

test("aborting ends it, and keeps the sites that were done", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  await compute(runtime, 2 * COUNT);
  const controller = new AbortController();
  const { signal } = controller;
  await expect(tune(runtime, { signal, onProgress: () => controller.abort() })).rejects.toThrow(AbortedError);
  expect(tuningTable(runtime)).toHaveLength(1);
  expect(await tune(runtime)).toMatchObject({ tuned: 1, waiting: 0 });
  runtime.destroy();
});

test("a runtime destroyed meanwhile ends it, and no candidate is blamed", async () => {
  const device = new ScriptedDevice({ ...script(SLOW_DEFAULT), onMeasure: async () => end() });
  const runtime = await open(device);
  const end = (): void => {
    runtime.destroy();
    device.destroy();
  };
  await expect(tune(runtime)).rejects.toThrow(AbortedError);
  expect(tuningTable(runtime)).toEqual([]);
});

test("what is measured while others compute is measured again", async () => {
  let left = 3;
  const times = new Map(Object.entries(SLOW_DEFAULT));
  const device = new ScriptedDevice({
    msOf: (kernel) => (left > 0 ? 100 : (times.get(eachOf(kernel)) ?? 1)),
    onMeasure: async () => {
      if (left-- > 0) runtime.tuning.noteSubmit();
    },
  });
  const runtime = await open(device);
  await tune(runtime);
  expect(rowOf(runtime).winner).toBe("4");
  expect(rowOf(runtime).candidates[0]?.ms).toBe(4);
  runtime.destroy();
});

test("where others always compute, nothing is decided", async () => {
  const device = new ScriptedDevice({ ...script(SLOW_DEFAULT), onMeasure: async () => runtime.tuning.noteSubmit() });
  const runtime = await open(device);
  expect(await tune(runtime)).toMatchObject({ tuned: 0, waiting: 1 });
  runtime.destroy();
});

test("two at a time are refused", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  const first = tune(runtime);
  await expect(tune(runtime)).rejects.toThrow(OptionError);
  await first;
  runtime.destroy();
});

test("sites with the most work behind them are tuned first", async () => {
  const runtime = await open(new ScriptedDevice(script(SLOW_DEFAULT)));
  await compute(runtime, 8 * COUNT);
  for (let i = 0; i < 20; i++) await compute(runtime, 2 * COUNT);
  const seen: string[] = [];
  await tune(runtime, { onProgress: ({ row }) => seen.push(row.shapeClass.split(",")[0] ?? "") });
  expect(seen).toEqual(["16384", "65536", "8192"]);
  runtime.destroy();
});
