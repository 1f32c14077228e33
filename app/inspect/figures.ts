/** Figures of kernels as people read them: three digits and a unit. */

const PREFIXES = ["", "k", "M", "G", "T"];

/** 1_234_567 -> "1.23 M". */
export function formatCount(count: number): string {
  let value = count;
  let power = 0;
  while (value >= 999.5 && power < PREFIXES.length - 1) {
    value /= 1000;
    power += 1;
  }
  return power === 0 ? String(Math.round(value)) : `${threeDigits(value)} ${PREFIXES[power]}`;
}

/** 0.0123 -> "12.3 µs", 4.5 -> "4.50 ms". */
export function formatTime(ms: number): string {
  if (ms === 0) return "0 µs";
  if (ms < 0.9995) return `${threeDigits(ms * 1000)} µs`;
  return ms < 999.5 ? `${threeDigits(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

/** So many in so many milliseconds, a second: "1.23 GB/s"; a dash where a coarse clock said 0. */
export function formatRate(count: number, ms: number | null, unit: "B/s" | "FLOP/s"): string {
  if (ms === null || ms <= 0) return "–";
  const text = formatCount((count / ms) * 1000);
  return `${text}${text.includes(" ") ? "" : " "}${unit}`;
}

/** 0.123 -> "12.3 %". */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}
