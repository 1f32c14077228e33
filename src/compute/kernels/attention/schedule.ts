/** How a kernel of attention is shared out between lanes, and where they read what they all need. */
import { OptionError } from "../../../base/errors.ts";

/**
 * Each lane owns `rows` rows (of queries, or of keys), and keeps their sums in private arrays; all lanes of a workgroup
 * go along the rows of the other side in blocks of `columns`. How they read those:
 *
 * - direct: each lane for itself. For software adapters without subgroups.
 * - broadcast: each lane loads other rows, and gives them to the others of its subgroup, which has exactly `lanes` lanes.
 *   For software adapters, where a load costs as much as ten products.
 * - staged: together into workgroup memory, `staged` rows at a time. For GPUs.
 */
export interface AttentionSchedule {
  readonly kind: "direct" | "broadcast" | "staged";
  /** Lanes of a workgroup. */
  readonly lanes: number;
  readonly rows: number;
  readonly columns: number;
  /** A multiple of `columns`; 0 unless staged. */
  readonly staged: number;
}

/** The name of a schedule, for tables and files: the same in every version. */
export function attentionScheduleName({ kind, lanes, rows, columns, staged }: AttentionSchedule): string {
  return `${kind} ${lanes} x ${rows}x${columns}${staged > 0 ? ` of ${staged}` : ""}`;
}

const NAME = /^(direct|broadcast|staged) (\d+) x (\d+)x(\d+)(?: of (\d+))?$/;

/** The schedule of a name. @throws OptionError for what is none */
export function parseAttentionSchedule(name: string): AttentionSchedule {
  const [, kind, lanes, rows, columns, staged = "0"] = NAME.exec(name) ?? [];
  if (kind !== "direct" && kind !== "broadcast" && kind !== "staged") {
    throw new OptionError(`parseAttentionSchedule: expected a name such as "direct 8 x 4x8", found ${name}`);
  }
  return { kind, lanes: Number(lanes), rows: Number(rows), columns: Number(columns), staged: Number(staged) };
}
