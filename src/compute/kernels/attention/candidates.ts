/**
 * Which schedules are worth trying for a kernel of attention on a kind of device: the first one is the default, by shape
 * and device alone, so that a device gives the same bits each time.
 *
 * On software adapters a load costs a lane as much as ten products: so lanes bring loads for each other, and tiles are
 * large where there is much to do. Where there is not, small ones compile in a third of the time.
 */
import type { DeviceTraits } from "../device-traits.ts";
import type { Attention } from "./attention.ts";
import { attentionScheduleName, type AttentionSchedule } from "./schedule.ts";

/** A kernel of attention, as far as its schedule depends on it. */
export interface AttentionKernel extends Omit<Attention, "scale" | "offset"> {
  readonly part: "forward" | "gradQuery" | "gradKeyValue" | "gradMask";
}

/** Products from which on more code pays for itself on a software adapter. */
const SOFTWARE_LARGE = 2 ** 23;
/** Larger subgroups have no use for a row a lane. */
const SUBGROUP_MAX = 16;
/** Lanes that go along together where they share nothing: as wide as software adapters compute. */
const LANES_ALONE = 8;
/** A vector's. */
const LANES_VECTOR = 4;
/** Of GPUs. */
const LANES_STAGED = 64;

/** The schedules to try, the default first; each runs on the device, for any operands. */
export function attentionCandidates(kernel: AttentionKernel, traits: DeviceTraits): readonly AttentionSchedule[] {
  const { part, queries, keys } = kernel;
  const [own, others] = part === "gradKeyValue" ? [keys, queries] : [queries, keys];
  if (traits.hasVectorLanes === true) return vectorCandidates(part).map((schedule) => fitted(schedule, own, others));
  const all = (traits.isSoftware ? softwareCandidates(kernel, traits) : hardwareCandidates(kernel, traits)).map(
    (schedule) => fitted(schedule, own, others),
  );
  // That of the mask has an invocation an element, whatever the schedule.
  if (part === "gradMask") return all.slice(0, 1);
  return [...new Map(all.map((schedule) => [attentionScheduleName(schedule), schedule])).values()];
}

/** No larger than what there is. */
function fitted(schedule: AttentionSchedule, own: number, others: number): AttentionSchedule {
  const { lanes, rows, columns } = schedule;
  return {
    ...schedule,
    rows: Math.min(rows, Math.ceil(own / lanes)),
    columns: Math.min(columns, 4 * Math.ceil(others / 4)),
  };
}

/** What all lanes load is loaded once anyway. */
function vectorCandidates(part: AttentionKernel["part"]): AttentionSchedule[] {
  const alone = (rows: number, columns: number): AttentionSchedule => {
    return { kind: "direct", lanes: LANES_VECTOR, rows, columns, staged: 0 };
  };
  return part === "gradMask" ? [alone(1, 4)] : [alone(1, 8), alone(2, 4), alone(1, 4)];
}

function softwareCandidates(kernel: AttentionKernel, traits: DeviceTraits): AttentionSchedule[] {
  const { part, batch, group, queries, keys, depth, width } = kernel;
  const isLarge = batch * group * queries * keys * (depth + width) >= SOFTWARE_LARGE;
  const alone = (rows: number, columns: number): AttentionSchedule => {
    return { kind: "direct", lanes: LANES_ALONE, rows, columns, staged: 0 };
  };
  const directs = isLarge ? [alone(4, 8), alone(2, 4)] : [alone(2, 4), alone(4, 8)];
  const size = traits.hasSubgroups ? (traits.subgroupSize ?? 0) : 0;
  if (size < 2 || size > SUBGROUP_MAX) return directs;
  const shared = (rows: number, columns: number): AttentionSchedule => {
    return { kind: "broadcast", lanes: size, rows, columns, staged: 0 };
  };
  // Narrow subgroups need more rows for as many products a load.
  const small = shared(Math.ceil(16 / size), size < 8 || part === "gradKeyValue" ? 8 : 16);
  const large = shared(4, 16);
  const others = [shared(2, 16), shared(4, 8), shared(1, 16)];
  return [...(isLarge ? [large, small] : [small, large]), ...others, directs[0] ?? alone(2, 4)];
}

function hardwareCandidates(kernel: AttentionKernel, { limits }: DeviceTraits): AttentionSchedule[] {
  const { part, depth, width } = kernel;
  const rowBytes = 4 * (depth + width + (part === "gradKeyValue" ? 2 : 0));
  const staged = (rows: number, columns: number, wanted: number): AttentionSchedule[] => {
    const fits = Math.min(wanted, columns * Math.floor(limits.workgroupBytesMax / rowBytes / columns));
    return fits === 0 ? [] : [{ kind: "staged", lanes: LANES_STAGED, rows, columns, staged: fits }];
  };
  const alone: AttentionSchedule = { kind: "direct", lanes: LANES_STAGED, rows: 1, columns: 4, staged: 0 };
  return [...staged(1, 8, 32), ...staged(1, 4, 16), ...staged(2, 8, 32), alone];
}
