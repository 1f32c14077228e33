/**
 * A member's links: what it measures of them and tells, and the programs that its group runs by what all told. The
 * sums of gradients are none of these: they go straight to owners, whatever the links (`GradientExchange`).
 */
import type { Clock } from "../base/clock.ts";
import type { AlgorithmName } from "../network/collectives/algorithms.ts";
import { matrixOfLevels } from "../network/collectives/cost/link-matrix.ts";
import type { LinkMatrix } from "../network/collectives/cost/link-matrix.ts";
import { Selection } from "../network/collectives/cost/selection.ts";
import type { Group } from "../network/collectives/group.ts";
import { LinkMeter } from "../network/link-meter.ts";
import type { Mux } from "../network/mux.ts";
import { LINKED_MEMBERS_MAX, type LinkFigure } from "../network/wire/link-levels.ts";
import type { EpochMessage } from "./recovery/member.ts";

/** What a group of an epoch chooses by. */
export interface Chosen {
  readonly matrix: LinkMatrix;
  readonly selection: Selection;
  /** Of the members, by rank. */
  readonly peers: readonly string[];
  /** By which parameters are gathered; null for the usual one. */
  readonly program: AlgorithmName | null;
}

/** Levels are a factor of two apart: what promises less than this is not worth leaving the usual program for. */
const GAIN_MIN = 1.25;

export class LinkChoice {
  readonly #meter: LinkMeter;
  readonly #using = new WeakMap<Group, string>();

  constructor(options: { readonly mux: Mux; readonly clock: Clock }) {
    this.#meter = new LinkMeter(options);
  }

  /** The own row for an epoch whose members are all linked. Takes a round trip where one was not measured of late. */
  async rowFor(epoch: EpochMessage, self: string): Promise<readonly LinkFigure[]> {
    const others = othersOf(epoch, self);
    if (others.length === 0) return [];
    await this.#meter.look(others);
    return this.#meter.row(others);
  }

  /** The own row where it changed; and measures what was not measured for a while, now that a step is over. */
  news(epoch: EpochMessage, self: string): readonly LinkFigure[] | null {
    const others = othersOf(epoch, self);
    if (others.length === 0) return null;
    const row = this.#meter.news(others);
    void this.#meter.look(others);
    this.#meter.burst(others);
    return row;
  }

  /**
   * From now on `group` chooses by what the coordinator said, or goes on as before where that fits no such group: the
   * same at all members, since all were told the same. Null where nothing changes.
   */
  use(group: Group, links: string | null, parameterBytes: number): Chosen | null {
    if (links === null || this.#using.get(group) === links) return null;
    this.#using.set(group, links);
    const matrix = matrixOfLevels(links, group.size);
    if (matrix === null) return null;
    const selection = new Selection(matrix, { gainMin: GAIN_MIN });
    group.usePrograms(selection.groupOptions());
    const program = selection.choose("all-gather", parameterBytes, 0) ?? null;
    return { matrix, selection, peers: group.members, program };
  }
}

/** Nobody in a room that is too large for a matrix. */
function othersOf({ members }: EpochMessage, self: string): string[] {
  if (members.length > LINKED_MEMBERS_MAX) return [];
  return members.map(({ peer }) => peer).filter((peer) => peer !== self);
}
