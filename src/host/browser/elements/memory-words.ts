/** A member's memory in words and numbers, for those who read and those who listen. */
import { USED_FOR, type MemorySummary, type UsedFor } from "../../../network/wire/memory-summary.ts";
import { formatMemory, plural } from "./format.ts";

/** One line of the list beside the map. */
export interface MemoryFact {
  readonly name: string;
  readonly value: string;
  /** Explains the value, in small print. */
  readonly hint: string;
}

/** The kinds that hold anything, the order always the same. */
export function kindsOf(memory: MemorySummary): UsedFor[] {
  return USED_FOR.filter((kind) => memory.bytesByKind[kind] > 0);
}

/** "212 MiB in use, 256 MiB taken, of a budget of 512 MiB". */
export function describeUse({ usedBytes, takenBytes, budgetBytes }: MemorySummary): string {
  const budget = budgetBytes === null ? "no budget" : `of a budget of ${formatMemory(budgetBytes)}`;
  return `${formatMemory(usedBytes)} in use, ${formatMemory(takenBytes)} taken, ${budget}`;
}

/** The map as a sentence. */
export function describeMap(memory: MemorySummary): string {
  const kinds = kindsOf(memory).map((kind) => `${kind} ${formatMemory(memory.bytesByKind[kind])}`);
  const free = `free ${formatMemory(Math.max(0, memory.takenBytes - memory.usedBytes))}`;
  return `Page map of ${plural(memory.slabs.length, "slab")}: ${[...kinds, free].join(", ")}.`;
}

/** What the map does not show. */
export function memoryFacts(memory: MemorySummary): MemoryFact[] {
  const { peakBytes, requestedBytes, usedBytes, fragmentation, moves, hostBytes, deviceLosses } = memory;
  const rounding = usedBytes === 0 ? 0 : Math.round(100 * (1 - requestedBytes / usedBytes));
  return [
    { name: "Peak", value: formatMemory(peakBytes), hint: "the line across the bar" },
    { name: "Plans", value: formatMemory(memory.plannedBytes), hint: againstBound(memory) },
    {
      name: "Fragmentation",
      value: `${Math.round(100 * fragmentation)} %`,
      hint: `free pages that lie apart; rounding takes ${rounding} %`,
    },
    { name: "Moved together", value: formatMemory(moves.bytes), hint: `in ${plural(moves.count, "move")}` },
    { name: "In main memory", value: formatMemory(hostBytes), hint: "moved out of the device" },
    { name: "Devices lost", value: String(deviceLosses), hint: "and replaced" },
  ];
}

/** The answers to a lack of memory that were given, the mildest first. */
export function pressureAnswers({ pressure }: MemorySummary): string[] {
  const answers: readonly (readonly [number, string])[] = [
    [pressure.cachesDropped, plural(pressure.cachesDropped, "cache") + " dropped"],
    [pressure.recomputed, plural(pressure.recomputed, "kernel") + " run again instead of keeping the result"],
    [pressure.offloaded, plural(pressure.offloaded, "array") + " moved out to main memory"],
    [pressure.reloaded, plural(pressure.reloaded, "array") + " moved back in"],
    [pressure.microBatched, plural(pressure.microBatched, "function") + " cut into smaller micro-batches"],
  ];
  return answers.filter(([count]) => count > 0).map(([, answer]) => answer);
}

function againstBound({ plannedBytes, boundBytes }: MemorySummary): string {
  if (boundBytes === 0) return "held between inputs and results";
  return `${(plannedBytes / boundBytes).toFixed(2)} times the least possible, ${formatMemory(boundBytes)}`;
}
