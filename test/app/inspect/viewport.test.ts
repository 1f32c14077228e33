/** Panning and zooming: what is under the pointer stays there, and no drawing is lost. */
import { expect, test } from "vitest";
import { centred, opening, panned, zoomed } from "../../../app/inspect/viewport.ts";
import { Random } from "../../../src/base/random.ts";

const window = { width: 800, height: 400 };
const drawing = { width: 20_000, height: 900 };

test("the point under the pointer stays there when the drawing is zoomed", () => {
  const view = { x: 5_000, y: 300, scale: 1 };
  for (const factor of [0.5, 1.1, 1.9]) {
    const after = zoomed(view, factor, 200, 100, window, drawing);
    expect(after.scale).toBeCloseTo(factor);
    expect(after.x + 200 / after.scale).toBeCloseTo(5_200);
    expect(after.y + 100 / after.scale).toBeCloseTo(400);
  }
});

test("zooming ends at twice the size, and where all of the drawing is in view", () => {
  const view = { x: 5_000, y: 300, scale: 1 };
  expect(zoomed(view, 100, 0, 0, window, drawing).scale).toBe(2);
  const { scale } = zoomed(view, 1e-6, 0, 0, window, drawing);
  expect(drawing.width * scale).toBeLessThanOrEqual(window.width);
});

test("however far it is dragged and zoomed, some of the drawing stays in the middle (seed 4)", () => {
  const random = new Random(4, "viewport");
  let view = opening(window, drawing, 0, 900, 24);
  for (let i = 0; i < 300; i++) {
    view = panned(view, (random.uniform() - 0.5) * 20_000, (random.uniform() - 0.5) * 5_000, window, drawing);
    view = zoomed(view, Math.exp(random.uniform() * 4 - 2), 800 * random.uniform(), 400 * random.uniform(), window, drawing); // prettier-ignore
    const [x, y] = [view.x + 400 / view.scale, view.y + 200 / view.scale];
    expect(x).toBeGreaterThanOrEqual(-1e-6);
    expect(x).toBeLessThanOrEqual(drawing.width + 1e-6);
    expect(y).toBeGreaterThanOrEqual(-1e-6);
    expect(y).toBeLessThanOrEqual(drawing.height + 1e-6);
  }
});

test("a drawing opens at its beginning, as large as its heights allow, and readable", () => {
  expect(opening(window, drawing, 100, 200, 20)).toEqual({ x: -20, y: -50, scale: 1 });
  expect(opening(window, drawing, 0, 900, 24).scale).toBe(0.45);
  expect(opening({ width: 320, height: 400 }, drawing, 100, 200, 20).scale).toBe(0.5);
});

test("a point is brought into the middle", () => {
  expect(centred({ x: 0, y: 0, scale: 0.5 }, 4_000, 450, window, drawing)).toEqual({ x: 3_200, y: 50, scale: 0.5 });
});
