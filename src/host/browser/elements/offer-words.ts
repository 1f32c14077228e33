/** What a member gives, in few words. */
import type { Offer } from "../../../network/wire/messages.ts";
import { formatMemory } from "./format.ts";

const MEBIBYTE = 1024 * 1024;

/** { share: 0.5, minutesLeft: 12 } -> ["gives 50 % of its time", "leaves within 12 minutes"]; what is not told is left out. */
export function offerWords({ share, minutesLeft, memoryBudgetMiB, battery, isVisible }: Offer): string[] {
  const words: string[] = [];
  if (share !== undefined) words.push(`gives ${shareWords(share)} of its time`);
  if (memoryBudgetMiB !== undefined) words.push(`at most ${formatMemory(memoryBudgetMiB * MEBIBYTE)}`);
  if (minutesLeft !== undefined) words.push(`leaves within ${minuteWords(minutesLeft)}`);
  if (battery) words.push(`battery ${Math.round(100 * battery.level)} %${battery.charging ? ", charging" : ""}`);
  if (isVisible === false) words.push("in the background");
  return words;
}

function shareWords(share: number): string {
  return share === 1 ? "all" : `${Math.max(1, Math.round(100 * share))} %`;
}

function minuteWords(minutes: number): string {
  const whole = Math.max(1, Math.ceil(minutes));
  return whole === 1 ? "a minute" : `${whole.toLocaleString("en")} minutes`;
}
