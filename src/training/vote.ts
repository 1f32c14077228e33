/** What a member says of a step that it has finished. */
import type { PathKind, PeerId } from "../network/transport/transport.ts";
import type { LinkFigure } from "../network/wire/link-levels.ts";
import type { ByteCounts } from "../network/wire/run-line.ts";
import type { StepOutput } from "./parallel/data/data-parallel-step.ts";
import type { PlanMessage, VoteMessage } from "./recovery/member.ts";

/** What goes with it, of the member's network. */
export interface VoteNews {
  /** Since the last vote. */
  readonly bytesSent: ByteCounts;
  readonly paths: Readonly<Record<PeerId, PathKind>>;
  /** Null where nothing changed. */
  readonly links: readonly LinkFigure[] | null;
}

/** The vote for the result of a plan's step. */
export function voteOf(plan: PlanMessage, output: StepOutput, { bytesSent, paths, links }: VoteNews): VoteMessage {
  const { version, parameters, losses, fingerprints, times } = output;
  return {
    kind: "vote",
    incarnation: plan.incarnation,
    epoch: plan.epoch,
    step: plan.step,
    parameterRoot: version.parameterRoot,
    parameters,
    optimizer: [...version.optimizer].map(([shard, { hash }]) => [shard, hash] as const),
    losses,
    ...(fingerprints.length > 0 ? { fingerprints } : {}),
    times,
    bytesSent,
    paths,
    ...(links ? { links } : {}),
  };
}
