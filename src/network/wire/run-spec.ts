/** What a room trains, fixed when the room is made: the run and its seed, data and knobs, and what it asks of the pool. */
import type { Hash } from "../../base/hash.ts";

/** Text or images that a run trains on, named by content. Null stands for the run's own default data. */
export interface DataSpec {
  readonly hash: Hash;
  readonly bytes: number;
  readonly name: string;
}

/** A run's exported state, that another run goes on from. */
export interface ImportSpec extends DataSpec {
  /** That the state is after: the run begins with the one that follows. */
  readonly step: number;
}

/** The step that a run's first state is after: 0, or where the state came from that it goes on from. */
export function firstStepOf({ from }: Pick<RunSpec, "from">): number {
  return from?.step ?? 0;
}

/** What a room trains. Fixed when the room is made. */
export interface RunSpec {
  /** Name of a run that the app's origin serves: "char-gpt". */
  readonly run: string;
  readonly seed: number;
  /** The last step: optimizer updates until the run ends, those before `from` included. */
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Members to wait for before the first epoch of an incarnation that starts or resumes a run. */
  readonly startWith: number;
  readonly data: DataSpec | null;
  /** The state to begin with; the one that the seed gives unless told. */
  readonly from?: ImportSpec;
  /** `--set key=value`: the run's own knobs. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where the server's pool is to train it; without it whoever opens the link does. */
  readonly queue?: QueueSpec;
}

/** What a run asks of the pool. */
export interface QueueSpec {
  /** From 0; higher goes first. */
  readonly priority: number;
  /** It starts with so many members at once, and has so many at most. */
  readonly membersMin: number;
  readonly membersMax: number;
}
