/** The worker of a test tab: a mux and groups over WebRTC, driven by the test. */
import { expose } from "comlink";
import { bytesOf } from "../../../../src/base/bytes.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { describeError } from "../../../../src/base/errors.ts";
import { hashBytes } from "../../../../src/base/hash.ts";
import { WorkerTransport } from "../../../../src/host/browser/rtc-worker.ts";
import { Group } from "../../../../src/network/collectives/group.ts";
import { Mux } from "../../../../src/network/mux.ts";

export interface StepRequest {
  readonly members: readonly string[];
  readonly epoch: number;
  readonly parameters: number;
  readonly steps: number;
  readonly deadlineMs: number;
}

export interface StepResult {
  readonly error: string | null;
  /** SHA-256 of the gathered parameters after the last step. */
  readonly digest: string;
  readonly ms: number;
}

let mux: Mux | null = null;

function started(): Mux {
  if (mux === null) throw new TypeError("not started");
  return mux;
}

/** Data-parallel steps without the training: reduce-scatter the "gradients", all-gather the shares. */
async function steps(request: StepRequest): Promise<StepResult> {
  const { members, epoch, parameters, deadlineMs } = request;
  const group = new Group({ mux: started(), members, fence: { incarnation: 1, epoch }, clock: systemClock });
  const { size, rank } = group;
  const bounds = Array.from({ length: size + 1 }, (_, r) => Math.floor((r * parameters) / size));
  const ranks = members.map((_, r) => r);
  const startMs = systemClock.nowMs();
  let digest = "";
  try {
    for (let step = 0; step < request.steps; step++) {
      const gradients = Float32Array.from({ length: parameters }, (_, at) => Math.sin(at + rank) * 10 ** (at % 7));
      const common = { deadlineMs, operation: 2 * step };
      const share = await group.reduceScatter(gradients, bounds, ranks, { ...common, category: "gradients" });
      const byteBounds = bounds.map((bound) => 4 * bound);
      const gather = { deadlineMs, operation: 2 * step + 1, category: "parameters" } as const;
      digest = hashBytes(await group.allGather(bytesOf(share), byteBounds, gather));
    }
    return { error: null, digest, ms: systemClock.nowMs() - startMs };
  } catch (error) {
    return { error: describeError(error), digest, ms: systemClock.nowMs() - startMs };
  } finally {
    group.close("done");
  }
}

export interface TestEngine {
  start(self: string, port: MessagePort): void;
  /** Null, or why not. */
  connect(peers: readonly string[], deadlineMs: number): Promise<string | null>;
  disconnect(peer: string): void;
  steps(request: StepRequest): Promise<StepResult>;
  paths(): Readonly<Record<string, string>>;
  bytesSent(): number;
}

const engine: TestEngine = {
  start(self, port) {
    mux = new Mux({ transport: new WorkerTransport({ self, port, clock: systemClock }) });
  },
  async connect(peers, deadlineMs) {
    try {
      await Promise.all(peers.map((peer) => started().connect(peer, { deadlineMs })));
      return null;
    } catch (error) {
      return describeError(error);
    }
  },
  disconnect: (peer) => started().disconnect(peer, "test"),
  steps,
  paths: () => started().paths(),
  bytesSent: () => started().totalBytesSent(),
};

expose(engine);
