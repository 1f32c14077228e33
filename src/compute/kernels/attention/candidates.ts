/**
 * Which schedules are worth trying for a kernel of attention on a kind of device: the first one is the default, by shape
 * and device alone, so that a device gives the same bits each time.
 */
import type { DeviceTraits } from "../device-traits.ts";
import type { Attention } from "./attention.ts";
import type { AttentionSchedule } from "./schedule.ts";

export type AttentionPart = "forward" | "gradQuery" | "gradKeyValue" | "gradMask";

export function attentionCandidates(
  attention: Attention,
  part: AttentionPart,
  traits: DeviceTraits,
): readonly AttentionSchedule[] {
  void [attention, part, traits];
  const forced = process.env["ATT"];
  if (forced !== undefined) return [parseAttentionSchedule(forced)];
  return [{ kind: "direct", lanes: 8, rows: 2, columns: 4, staged: 0 }];
}
import { parseAttentionSchedule } from "./schedule.ts";
