/**
 * What packing gradients costs and does: two members in one thread, each a trainer on WebAssembly, train a small GPT on the
 * project's documents by each codec in turn, over a MessagePort.
 */
import { readdirSync, readFileSync } from "node:fs";
import { assert } from "../src/base/assert.ts";
import { concatBytes, type Bytes } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { openWasmDevice } from "../src/compute/device/wasm/open-wasm-device.ts";
import { Group } from "../src/network/collectives/group.ts";
import { Mux } from "../src/network/mux.ts";
import { MessagePortTransport } from "../src/network/transport/message-port/message-port-transport.ts";
import { SHARDS } from "../src/network/wire/state-record.ts";
import { runDataParallelStep } from "../src/training/parallel/data/data-parallel-step.ts";
import { DEVICE_CODECS } from "../src/training/parallel/data/gradient-codec.ts";
import { Trainer } from "../src/training/parallel/data/trainer.ts";
import { genesisVersion } from "../src/training/recovery/replica.ts";
import { median } from "./measure.ts";
import type { Measured } from "./result.ts";
import { gptRun } from "./gpt-run.ts";

const STEPS = 150;
/** Of whose losses the mean is given. */
const LAST_STEPS = 10;
const NAMES = ["a", "b"];
const DEADLINE_MS = 60_000;
const MAP = {
  owner: Array.from({ length: SHARDS }, (_, shard) => shard % 2),
  replica: Array.from({ length: SHARDS }, (_, shard) => (shard + 1) % 2),
};

interface Trained {
  readonly parameters: number;
  /** That both members sent for gradients, a step. */
  readonly bytes: number;
  readonly loss: number;
  readonly stepMs: number;
}

/** Bytes of gradients a step, a line a codec. */
export async function codecs(): Promise<Measured[]> {
  const text = documents();
  const lines: Measured[] = [];
  const plain = await train("none", text);
  for (const codec of ["none", ...Object.keys(DEVICE_CODECS)]) {
    const { parameters, bytes, loss, stepMs } = codec === "none" ? plain : await train(codec, text);
    const part = codec === "none" ? "" : `1 / ${(plain.bytes / bytes).toFixed(1)} of float32; `;
    lines.push({
      case: `GPT of ${parameters} parameters, 2 members: ${codec}`,
      unit: "bytes a step",
      better: "lower",
      ours: bytes,
      notes: `${part}mean loss of steps ${STEPS - LAST_STEPS + 1} to ${STEPS} ${loss.toFixed(4)}; a step of both ${stepMs.toFixed(0)} ms, median`,
    });
  }
  return lines;
}

function documents(): Bytes {
  const folder = new URL("../docs/", import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith(".md")).sort(); // prettier-ignore
  return concatBytes(names.map((name) => new Uint8Array(readFileSync(new URL(name, folder)))));
}

async function train(codec: string, bytes: Bytes): Promise<Trained> {
  const definition = gptRun({ globalBatch: 16, slots: 4, width: 64, layers: 2 }, { text: bytes, codec });
  const spec = { seed: 1, settings: {} };
  const open = async (): Promise<Trainer> =>
    Trainer.create({ definition, device: await openWasmDevice(), bytes: null, spec, clock: systemClock });
  const [trainers, muxes] = [await Promise.all(NAMES.map(open)), await linked()];
  const groups = muxes.map((mux) => new Group({ mux, members: NAMES, fence: { incarnation: 1, epoch: 1 }, clock: systemClock })); // prettier-ignore
  let versions = trainers.map((trainer) => genesisVersion(trainer.initialParameters(), trainer.stateFloats));
  const { signal } = new AbortController();
  const [losses, times]: [number[], number[]] = [[], []];
  for (let step = 1; step <= STEPS; step++) {
    const startMs = systemClock.nowMs();
    const outputs = await Promise.all(
      trainers.map((engine, at) => {
        const [group, committed] = [groups[at], versions[at]];
        assert(
          group !== undefined && committed !== undefined,
          "codecs: expected a group and a version for each member",
        );
        const slots = NAMES.map((_, rank) =>
          Array.from({ length: engine.slots / 2 }, (__, slot) => (engine.slots / 2) * rank + slot),
        );
        return runDataParallelStep({ engine, group, committed, step, map: MAP, slots, deadlineMs: DEADLINE_MS, signal, clock: systemClock }); // prettier-ignore
      }),
    );
    times.push(systemClock.nowMs() - startMs);
    versions = outputs.map(({ version }) => version);
    const roots = new Set(versions.map(({ parameterRoot }) => parameterRoot));
    assert(roots.size === 1, `codecs: expected ${codec} to leave all members the same parameters in step ${step}`);
    const all = outputs.flatMap((output) => output.losses.map(([, loss]) => loss));
    losses.push(all.reduce((sum, loss) => sum + loss, 0) / all.length);
  }
  const sent = muxes.reduce((sum, mux) => sum + mux.bytesSent().gradients, 0);
  const last = losses.slice(-LAST_STEPS);
  const loss = last.reduce((sum, value) => sum + value, 0) / last.length;
  const parameters = trainers[0]?.parameterCount ?? 0;
  for (const trainer of trainers) trainer.destroy();
  for (const mux of muxes) mux.close();
  return { parameters, bytes: Math.round(sent / STEPS), loss, stepMs: median(times) };
}

/** Two members with a link between them. */
async function linked(): Promise<Mux[]> {
  const { port1, port2 } = new MessageChannel();
  const transports = NAMES.map((name, at) => new MessagePortTransport(name, systemClock, async () => (at === 0 ? port1 : port2))); // prettier-ignore
  const muxes = transports.map((transport) => new Mux({ transport }));
  transports[1]?.acceptPort("a", port2);
  await muxes[0]?.connect("b", { deadlineMs: DEADLINE_MS });
  const endMs = systemClock.nowMs() + DEADLINE_MS;
  while (muxes[1]?.isLinked("a") !== true && systemClock.nowMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 5)); // prettier-ignore
  assert(muxes[1]?.isLinked("a") === true, `codecs: expected a link within ${DEADLINE_MS / 1000} s, found none`);
  return muxes;
}
