/** Numbers as people read them. All in English and the same in every locale, like the rest of the page. */

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const BINARY_UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** 1,536 -> "1.54 kB": decimal units, as networks and disks are sold. */
export function formatBytes(bytes: number): string {
  return inUnits(bytes, 1000, UNITS);
}

/** 65,536 -> "64.0 KiB": binary units, as memory is cut. */
export function formatMemory(bytes: number): string {
  return inUnits(bytes, 1024, BINARY_UNITS);
}

function inUnits(bytes: number, base: number, units: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= base - 0.5 && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : threeDigits(value)} ${units[unit]}`;
}

/** 842 -> "842 ms", 12_345 -> "12.3 s". */
export function formatMs(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${threeDigits(ms / 1000)} s`;
}

/** 42_000 -> "less than a minute", 150_000 -> "about 3 minutes". */
export function formatTimeLeft(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 50_000) return "less than a minute";
  if (minutes < 2) return "about a minute";
  if (minutes < 90) return `about ${minutes} minutes`;
  return `about ${Math.round(minutes / 60)} hours`;
}

/** A loss with the three decimals that training moves. */
export function formatLoss(loss: number | null): string {
  if (loss === null) return "–";
  return Number.isFinite(loss) ? loss.toFixed(loss < 0.1 ? 4 : 3) : "not a number";
}

/** 3.14159 -> "3.14", 31.4 -> "31.4", 314.1 -> "314". */
export function threeDigits(value: number): string {
  return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

/** plural(1, "tab") -> "1 tab"; plural(3, "tab") -> "3 tabs". */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
