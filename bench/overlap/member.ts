/** One member of the overlap benchmark: a thread with a trainer on its own device, and a port to the other one. */
import { parentPort, workerData, type MessagePort as NodeMessagePort } from "node:worker_threads";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { openWasmDevice } from "../../src/compute/device/wasm/open-wasm-device.ts";
import { Group } from "../../src/network/collectives/group.ts";
import type { Span } from "../../src/network/collectives/trace.ts";
import { TraceRecorder, type ComputeSpan } from "../../src/network/collectives/trace-recorder.ts";
import { Mux } from "../../src/network/mux.ts";
import { MessagePortTransport } from "../../src/network/transport/message-port/message-port-transport.ts";
import { SHARDS } from "../../src/network/wire/state-record.ts";
import {
  isOfGradients,
  runDataParallelStep,
  type StepEngine,
} from "../../src/training/parallel/data/data-parallel-step.ts";
import { Trainer } from "../../src/training/parallel/data/trainer.ts";
import { genesisVersion, type Version } from "../../src/training/recovery/replica.ts";
import { gptRun, type GptRunOptions } from "../gpt-run.ts";

export interface OverlapRequest {
  readonly rank: number;
  readonly port: NodeMessagePort;
  readonly run: GptRunOptions;
}

/** What the main thread asks for: a step, with gradients leaving as they get ready or when all are there. */
export interface StepRequest {
  readonly overlaps: boolean;
}

/** One step of a member, from its trace, in milliseconds since both began it. */
export interface StepMeasured {
  /** The end of its last slot. */
  readonly computedMs: number;
  /** When its part of the gradients' sum was there. */
  readonly reducedMs: number;
  readonly stepMs: number;
  /** `TraceRecorder.hiddenShare` of the gradients' operations. */
  readonly hiddenShare: number;
  readonly timeline: Timeline;
}

/** All that a member did in a step, in milliseconds since it began. */
export interface Timeline {
  /** By a clock that all threads share. */
  readonly beganMs: number;
  /** Of all operations, with their messages. */
  readonly spans: readonly Span[];
  readonly computed: readonly ComputeSpan[];
}

export type FromMember = { readonly parameters: number } | StepMeasured;

const MEMBERS = ["a", "b"];
const DEADLINE_MS = 60_000;

class BenchMember {
  readonly #rank: number;
  readonly #trainer: Trainer;
  readonly #group: Group;
  #recorder = new TraceRecorder();
  #spans: Span[] = [];
  #computed: ComputeSpan[] = [];
  #version: Version;

  static async open({ rank, port, run }: OverlapRequest): Promise<BenchMember> {
    const spec = { seed: 1, settings: {} };
    const device = await openWasmDevice();
    const trainer = await Trainer.create({ definition: gptRun(run), device, bytes: null, spec, clock: systemClock });
    return new BenchMember(rank, trainer, await muxOver(rank, port));
  }

  private constructor(rank: number, trainer: Trainer, mux: Mux) {
    this.#rank = rank;
    this.#trainer = trainer;
    const trace = (span: Span): void => {
      const isGradients = span.kind === "operation" && isOfGradients(span.operation);
      if (isGradients) this.#recorder.trace(span);
      this.#spans.push(span);
    };
    const fence = { incarnation: 1, epoch: 1 };
    this.#group = new Group({ mux, members: MEMBERS, fence, clock: systemClock, trace });
    this.#version = genesisVersion(trainer.initialParameters(), trainer.stateFloats);
  }

  get parameters(): number {
    return this.#trainer.parameterCount;
  }

  /** Both begin together: what one waits for the other is no communication. */
  async step({ overlaps }: StepRequest): Promise<StepMeasured> {
    const group = this.#group;
    const step = this.#version.step + 1;
    const common = { group, step, deadlineMs: DEADLINE_MS, signal: new AbortController().signal, clock: systemClock };
    await group.barrier({ operation: BARRIERS + step, category: "control", deadlineMs: DEADLINE_MS });
    this.#recorder = new TraceRecorder();
    [this.#spans, this.#computed] = [[], []];
    const startMs = systemClock.nowMs();
    const output = await runDataParallelStep({
      ...common,
      engine: this.#engine(overlaps),
      map: MAP,
      slots: slotsOf(this.#trainer.slots),
      committed: this.#version,
    });
    const endMs = systemClock.nowMs();
    this.#version = output.version;
    return {
      computedMs: this.#computedMs - startMs,
      reducedMs: Math.max(...this.#recorder.spans.map((span) => span.endMs)) - startMs,
      stepMs: endMs - startMs,
      hiddenShare: present(this.#recorder.hiddenShare(this.#rank), "operations of gradients"),
      timeline: this.#timelineSince(startMs),
    };
  }

  #timelineSince(startMs: number): Timeline {
    const since = <T extends { readonly startMs: number; readonly endMs: number }>(span: T): T => {
      return { ...span, startMs: span.startMs - startMs, endMs: span.endMs - startMs };
    };
    const beganMs = performance.timeOrigin + startMs;
    return { beganMs, spans: this.#spans.map(since), computed: this.#computed.map(since) };
  }

  #computedMs = 0;

  /** The trainer, whose slots the recorder sees; without overlap buckets leave when all are there. */
  #engine(overlaps: boolean): StepEngine {
    const trainer = this.#trainer;
    return {
      parameterCount: trainer.parameterCount,
      stateFloats: trainer.stateFloats,
      slots: trainer.slots,
      update: async (input) => {
        const startMs = systemClock.nowMs();
        const result = await trainer.update(input);
        const span = { name: "update", rank: this.#rank, startMs, endMs: systemClock.nowMs() };
        this.#computed.push(span);
        return result;
      },
      slot: async (parameters, step, slot, onBucket) => {
        const startMs = systemClock.nowMs();
        const result = await trainer.slot(parameters, step, slot, overlaps ? onBucket : undefined);
        this.#computedMs = systemClock.nowMs();
        const span = { name: `slot ${slot}`, rank: this.#rank, startMs, endMs: this.#computedMs };
        this.#recorder.compute(span);
        this.#computed.push(span);
        return result;
      },
    };
  }
}

/** Beyond those of the steps. */
const BARRIERS = 1_000_000;
const MAP = {
  owner: Array.from({ length: SHARDS }, (_, shard) => shard % 2),
  replica: Array.from({ length: SHARDS }, (_, shard) => (shard + 1) % 2),
};

function slotsOf(slots: number): number[][] {
  const all = Array.from({ length: slots }, (_, slot) => slot);
  return [all.filter((slot) => slot % 2 === 0), all.filter((slot) => slot % 2 === 1)];
}

async function muxOver(rank: number, port: NodeMessagePort): Promise<Mux> {
  const [self = "", other = ""] = rank === 0 ? MEMBERS : [...MEMBERS].reverse();
  const line = port as unknown as MessagePort; // Node's ports do all that the DOM's do.
  const transport = new MessagePortTransport(self, systemClock, async () => line);
  const mux = new Mux({ transport });
  if (rank === 0) await mux.connect(other, { deadlineMs: DEADLINE_MS });
  else transport.acceptPort(other, line);
  const endMs = systemClock.nowMs() + DEADLINE_MS;
  while (!mux.isLinked(other) && systemClock.nowMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  return mux;
}

const member = await BenchMember.open(workerData as OverlapRequest);
const tell = (message: FromMember): void => parentPort?.postMessage(message);
parentPort?.on("message", (request: StepRequest) => {
  void member.step(request).then(tell);
});
tell({ parameters: member.parameters });
