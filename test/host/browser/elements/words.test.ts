import { expect, test } from "vitest";
import {
  formatBytes,
  formatLoss,
  formatMemory,
  formatMs,
  formatTimeLeft,
  plural,
} from "../../../../src/host/browser/elements/format.ts";
import { peerHue, peerName } from "../../../../src/host/browser/elements/peer-name.ts";
import { qrPath } from "../../../../src/host/browser/elements/qr-path.ts";

test("bytes are told in the unit that fits, three digits at most", () => {
  const told = [0, 999, 1_000, 999_400, 999_600, 1_536_000, 12_345_678_901].map(formatBytes);
  expect(told).toEqual(["0 bytes", "999 bytes", "1.00 kB", "999 kB", "1.00 MB", "1.54 MB", "12.3 GB"]);
});

test("memory is told in binary units", () => {
  const told = [0, 1_023, 65_536, 1024 ** 2 - 1, 512 * 1024 ** 2, 1.5 * 1024 ** 3].map(formatMemory);
  expect(told).toEqual(["0 bytes", "1023 bytes", "64.0 KiB", "1.00 MiB", "512 MiB", "1.50 GiB"]);
});

test("times are told as people say them", () => {
  expect([3.21, 84, 999, 1_200, 61_000].map(formatMs)).toEqual(["3.2 ms", "84 ms", "999 ms", "1.20 s", "61.0 s"]);
  expect([1_000, 60_000, 150_000, 7_200_000].map(formatTimeLeft)).toEqual([
    "less than a minute",
    "about a minute",
    "about 3 minutes",
    "about 2 hours",
  ]);
});

test("a loss that is no number is said to be none", () => {
  expect([null, 2.34567, 0.01234, Number.NaN].map(formatLoss)).toEqual(["–", "2.346", "0.0123", "not a number"]);
});

test("nouns agree with their number", () => {
  expect([plural(1, "tab"), plural(0, "slot"), plural(1_200, "step")]).toEqual(["1 tab", "0 slots", "1,200 steps"]);
});

test("a peer has the same name and colour in every tab", () => {
  expect(peerName("tab-3f1c")).toBe(peerName("tab-3f1c"));
  expect(peerName("tab-3f1c")).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
  expect(peerHue("tab-3f1c")).toBeGreaterThanOrEqual(0);
  expect(peerHue("tab-3f1c")).toBeLessThan(360);
});

test("ids that differ in one character have names spread over the lists", () => {
  const names = new Set(Array.from({ length: 200 }, (_, index) => peerName(`tab-${index}`)));
  // 200 draws from 4,096 collide about 4.8 times (200 * 199 / 2 / 4096); 15 is over 4 standard deviations away.
  expect(names.size).toBeGreaterThan(185);
  const hues = new Set(Array.from({ length: 200 }, (_, index) => peerHue(`tab-${index}`)));
  expect(hues.size).toBe(24);
});

test("a QR code has its quiet zone and its three finder patterns", () => {
  const { path, size } = qrPath("https://hearth.example/room/3f1c");
  const dark = new Set<string>();
  for (const [, x = "", y = "", width = ""] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    for (let at = 0; at < Number(width); at++) dark.add(`${Number(x) + at},${y}`);
  const last = size - 5;
  for (let at = 4; at < 11; at++) {
    expect(dark.has(`${at},4`) && dark.has(`4,${at}`) && dark.has(`${last},${at}`) && dark.has(`${at},${last}`)).toBe(
      true,
    );
  }
  for (const module of dark) {
    const [x = 0, y = 0] = module.split(",").map(Number);
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(4);
    expect(Math.max(x, y)).toBeLessThanOrEqual(last);
  }
});
