/**
 * A member's part in checkpoints, beside training: writing its units of each, reporting what its device holds, looking
 * through its disk once in a while, and the newest one as a file.
 */
import type { Bytes } from "../../base/bytes.ts";
import { describeError, MissingDataError, UnsupportedError } from "../../base/errors.ts";
import type { CheckpointOrder, StateLayout } from "../../network/wire/state-record.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import type { MemberEngine, MemberOptions } from "../member.ts";
import type { EpochMessage, VersionName } from "../recovery/member.ts";
import { parameterShard, type Replica } from "../recovery/replica.ts";
import { exportState } from "./export-state.ts";
import { saveCheckpoint, type GatherOptimizerInput, type Saved } from "./save.ts";
import { scrub } from "./scrub.ts";

/** Checkpoints are written in the background for at most so long. */
const SAVE_MS_MAX = 25_000;
/** For others to give their optimizer shards. */
const EXPORT_MS_MAX = 25_000;
const EXPORT_ATTEMPTS_MAX = 3;
const SCRUB_EVERY_MS = 60_000;
/** For what others have to give of what rotted here. */
const MEND_MS_MAX = 20_000;

/** What a member has once it is prepared. */
interface Prepared {
  readonly engine: MemberEngine;
  readonly replica: Replica;
}

interface CheckpointWork {
  readonly name: VersionName;
  readonly order: CheckpointOrder;
  readonly epoch: EpochMessage;
}

export class CheckpointKeeper {
  readonly #options: MemberOptions;
  /** Of this tab's time in the room. */
  #newest: Pick<GatherOptimizerInput, "name" | "version" | "epoch" | "order"> | null = null;
  #scrubbedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  /**
   * The newest checkpoint that was ordered while this tab took part, as a safetensors file (`exportState`). Members keep
   * its shards in memory until the next one, so that it can be had while training goes on; where the next one came
   * first, that is taken.
   * @throws UnsupportedError where there is none yet, or the engine tells no layout; what `exportState` throws
   */
  async export(layout: StateLayout | undefined, spec: RunSpec | null): Promise<Bytes> {
    const { blobs, note } = this.#options;
    if (!layout) throw new UnsupportedError("export: expected an engine that tells its state's layout, found none");
    for (let attempt = 1; ; attempt++) {
      const checkpoint = this.#newest;
      if (!checkpoint || !spec) {
        throw new UnsupportedError("export: expected a checkpoint since this tab took part, found none yet");
      }
      try {
        const options = { deadlineMs: EXPORT_MS_MAX };
        return await exportState({ ...checkpoint, spec, layout, blobs, options, note });
      } catch (error) {
        const isOld = error instanceof MissingDataError && this.#newest !== checkpoint;
        if (!isOld || attempt === EXPORT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Reports what the device has for the committed parameters: devices that compute wrongly are found out. */
  digest({ engine, replica }: Prepared, { step, chain }: VersionName): void {
    const { link, chunks, note } = this.#options;
    if (!replica.committed) return;
    const reading = engine.readBack(replica.committed.parameters).then((bytes) => chunks.hash(bytes));
    reading.then(
      (digest) => link.send({ kind: "digest", step, chain, digest }),
      (error: unknown) => note(`reading the parameters back failed: ${describeError(error)}`),
    );
  }

  /** Runs beside training, on a version that nothing changes any more. */
  checkpoint({ replica }: Prepared, { name, order, epoch }: CheckpointWork): void {
    const { link, chunks, blobs, clock, room, note, info } = this.#options;
    const version = replica.committed;
    if (!version) return;
    replica.pin(version);
    this.#newest = { name, version, epoch, order };
    const { step, chain } = name;
    const startMs = clock.nowMs();
    const report = ({ units: shards, parity }: Saved, error: string | null): void =>
      link.send({ kind: "stored", step, chain, shards, parity, error, ms: clock.nowMs() - startMs });
    const options = { deadlineMs: SAVE_MS_MAX };
    saveCheckpoint({ room, self: info.peer, name, version, epoch, order, blobs, chunks, options, note })
      .then((saved) => report(saved, null))
      .catch((error: unknown) => {
        note(`this tab could not store its part of checkpoint ${step}: ${describeError(error)}`);
        report({ units: [], parity: [] }, describeError(error).slice(0, 400));
      })
      .then(() => chunks.collect(room, [...order.keep, { step, chain }]))
      .catch((error: unknown) => note(`old checkpoints could not be removed: ${describeError(error)}`))
      .then(() => this.#scrub(replica, epoch, order))
      .catch((error: unknown) => note(`this tab's checkpoints could not be looked through: ${describeError(error)}`));
  }

  /** Once in a while; looking at every byte costs about as much as writing it. */
  async #scrub(replica: Replica, { members }: EpochMessage, { parity }: CheckpointOrder): Promise<void> {
    const { chunks, blobs, clock, room, note, info, scrubEveryMs = SCRUB_EVERY_MS } = this.#options;
    if (clock.nowMs() - this.#scrubbedAtMs < scrubEveryMs) return;
    this.#scrubbedAtMs = clock.nowMs();
    const { genesis } = replica;
    const { missing, mended } = await scrub({
      room,
      self: info.peer,
      chunks,
      blobs,
      clock,
      parity,
      find: (hash) => replica.find(hash),
      peers: members.map(({ peer }) => peer),
      bytesOf: (shard) => [
        parameterShard(genesis.parameters, shard).byteLength,
        genesis.optimizer.get(shard)?.bytes.byteLength ?? 0,
      ],
      options: { deadlineMs: MEND_MS_MAX },
    });
    if (missing > 0) note(`${missing} chunks on this disk were missing or had rotted: ${mended} are mended`);
  }
}
