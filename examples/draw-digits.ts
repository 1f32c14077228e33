/**
 * Digits drawn on a canvas in many fonts, sizes, slants and thicknesses, as lines of 64 pixels (0 to 16) and the digit.
 *
 * Another machine has other fonts and draws other pixels; so whoever makes a room draws once and shares the drawings.
 */
import { OptionError } from "hearth";
import { Random } from "hearth/swarm";

const COUNT = 2_000;
const CANVAS = 32;
const SIDE = 8;
const INK_MAX = 16;
const FONTS = [
  "serif",
  "sans-serif",
  "monospace",
  "cursive",
  "fantasy",
  "system-ui",
  "Georgia",
  "Verdana",
  "Courier New",
];

/** CSV of `count` digits. @throws OptionError where there is no canvas */
export function drawDigits(count: number = COUNT): string {
  const context =
    typeof OffscreenCanvas === "undefined"
      ? null
      : new OffscreenCanvas(CANVAS, CANVAS).getContext("2d", { willReadFrequently: true });
  if (!context) throw new OptionError("digits: there is no canvas to draw on here; drop a file of digits instead.");
  const random = new Random("digits");
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const digit = index % 10;
    lines.push([...drawn(context, String(digit), random), digit].join(","));
  }
  return lines.join("\n");
}

/** One distorted digit, averaged down to 8 x 8. */
function drawn(context: OffscreenCanvasRenderingContext2D, digit: string, random: Random): number[] {
  const spread = (width: number): number => (random.uniform() - 0.5) * width;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = "black";
  context.fillRect(0, 0, CANVAS, CANVAS);
  context.translate(CANVAS / 2 + spread(4), CANVAS / 2 + spread(4));
  context.rotate(spread(0.5));
  context.transform(1 + spread(0.3), spread(0.3), spread(0.4), 1 + spread(0.3), 0, 0);
  context.fillStyle = "white";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${random.pick(["normal", "italic"])} ${random.pick([300, 500, 800])} ${26 + spread(8)}px ${random.pick(FONTS)}`;
  context.fillText(digit, 0, 0);
  const { data } = context.getImageData(0, 0, CANVAS, CANVAS);
  const block = CANVAS / SIDE;
  return Array.from({ length: SIDE * SIDE }, (_, cell) => {
    let sum = 0;
    for (let i = 0; i < block * block; i++) {
      const x = (cell % SIDE) * block + (i % block);
      const y = Math.floor(cell / SIDE) * block + Math.floor(i / block);
      sum += data[(y * CANVAS + x) * 4] ?? 0;
    }
    return Math.round((sum / (block * block * 255)) * INK_MAX);
  });
}
