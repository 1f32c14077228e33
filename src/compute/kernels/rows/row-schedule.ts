/** How the rows of a kernel are shared out among invocations, and the names of these ways. */
import { OptionError } from "../../../base/errors.ts";

export type RowSchedule =
  /**
   * An invocation goes along `rows` neighbouring rows together, `columns` neighbours a step, written out: 1 or 4, so that
   * loads of neighbours are one. Without barriers and subgroups.
   */
  | { readonly kind: "invocation"; readonly rows: number; readonly columns: number }
  /** The lanes of a vector go along neighbouring rows; `rows` such vectors together, side by side, written out. */
  | { readonly kind: "vectors"; readonly rows: number }
  /**
   * Workgroups of `rows` rows, each shared by `lanes` lanes, a power of two, that take turns along it, `columns` a turn.
   * Their totals are added in a tree. Neighbouring lanes are neighbours along the row, or (`isAcross`) across rows.
   */
  | {
      readonly kind: "workgroup";
      readonly rows: number;
      readonly lanes: number;
      readonly columns: number;
      readonly isAcross: boolean;
    }
  /**
   * A workgroup of `lanes` a row, whose totals are combined by subgroups, of whatever size, then across them. A turn's
   * `columns` are neighbours, or (`areApart`) each lane's next ones: then those that neighbouring lanes load are neighbours.
   */
  | { readonly kind: "subgroups"; readonly lanes: number; readonly columns: number; readonly areApart?: boolean };

/** One invocation a row: runs anywhere, for all rows. */
export const INVOCATION_A_ROW: RowSchedule = { kind: "invocation", rows: 1, columns: 1 };

/** The schedule's name, for tables and files: the same in every version. */
export function rowScheduleName(schedule: RowSchedule): string {
  switch (schedule.kind) {
    case "invocation":
      return `invocation ${schedule.rows}x${schedule.columns}`;
    case "vectors":
      return `vectors of ${schedule.rows}`;
    case "workgroup": {
      const { rows, lanes, columns, isAcross } = schedule;
      return `workgroup of ${rows}x${lanes}${isAcross ? " across" : ""} by ${columns}`;
    }
    case "subgroups":
      return `subgroups of ${schedule.lanes} by ${schedule.columns}${schedule.areApart === true ? " apart" : ""}`;
  }
}

const NAME =
  /^(?:invocation (\d+)x(\d+)|workgroup of (\d+)x(\d+)( across)? by (\d+)|subgroups of (\d+) by (\d+)( apart)?|vectors of (\d+))$/;

/** The schedule of a name. @throws OptionError for what is none. */
export function parseRowSchedule(name: string): RowSchedule {
  const [, rows, columns, groupRows, lanes, across, by, subgroupLanes, subgroupBy, apart, vectors] = NAME.exec(name) ?? []; // prettier-ignore
  if (rows !== undefined) return { kind: "invocation", rows: Number(rows), columns: Number(columns) };
  if (groupRows !== undefined) {
    const shared = { rows: Number(groupRows), lanes: Number(lanes), columns: Number(by) };
    return { kind: "workgroup", ...shared, isAcross: across !== undefined };
  }
  if (subgroupLanes !== undefined) {
    const schedule: RowSchedule = { kind: "subgroups", lanes: Number(subgroupLanes), columns: Number(subgroupBy) };
    return apart === undefined ? schedule : { ...schedule, areApart: true };
  }
  if (vectors !== undefined) return { kind: "vectors", rows: Number(vectors) };
  throw new OptionError(`parseRowSchedule: expected a name such as "workgroup of 1x256 by 4", found ${name}`);
}
