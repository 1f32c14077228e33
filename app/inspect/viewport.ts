/** Panning and zooming a drawing that is larger than its window: pure, in CSS pixels. */

/** The drawing's point at the window's top left corner, and pixels for each of its units. */
export interface Viewport {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const SCALE_MAX = 2;
/** However large the drawing, it can be seen whole; a small one is not zoomed away. */
const SCALE_MIN_OF_WHOLE = 0.8;
const SCALE_MIN = 0.25;
/** Opened no smaller than this: labels can be read. */
const SCALE_OPEN_MIN = 0.45;
/** Opened with this much across in view, on a phone too: three layers. */
const WIDTH_OPEN_MIN = 640;

/** Zooms by `factor`; the drawing stays put under the window's point [px, py]. */
export function zoomed(view: Viewport, factor: number, px: number, py: number, window: Size, drawing: Size): Viewport {
  const whole = Math.min(window.width / Math.max(1, drawing.width), window.height / Math.max(1, drawing.height));
  const least = Math.min(SCALE_MIN, whole * SCALE_MIN_OF_WHOLE);
  const scale = Math.min(SCALE_MAX, Math.max(least, view.scale * factor));
  const moved = { x: view.x + px / view.scale - px / scale, y: view.y + py / view.scale - py / scale, scale };
  return bounded(moved, window, drawing);
}

/** Moves the drawing by [dx, dy] pixels. */
export function panned(view: Viewport, dx: number, dy: number, window: Size, drawing: Size): Viewport {
  return bounded({ ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale }, window, drawing);
}

/** The beginning of a drawing, of which the heights from `top` to `bottom` are to be seen as far as they can be read. */
export function opening(window: Size, drawing: Size, top: number, bottom: number, margin: number): Viewport {
  const fitting = Math.min(1, window.width / WIDTH_OPEN_MIN, window.height / (bottom - top + 2 * margin));
  const scale = Math.max(SCALE_OPEN_MIN, fitting);
  const y = (top + bottom) / 2 - window.height / scale / 2;
  return bounded({ x: -margin, y, scale }, window, drawing);
}

/** The point [x, y] in the middle of the window. */
export function centred(view: Viewport, x: number, y: number, window: Size, drawing: Size): Viewport {
  const { scale } = view;
  return bounded({ x: x - window.width / scale / 2, y: y - window.height / scale / 2, scale }, window, drawing);
}

/** The nearest view in which a point of the drawing is in the window's middle; one that fits stands in the middle. */
function bounded({ x, y, scale }: Viewport, window: Size, drawing: Size): Viewport {
  const along = (at: number, shown: number, whole: number): number =>
    Math.min(Math.max(at, -shown / 2), whole - shown / 2);
  return {
    x: along(x, window.width / scale, drawing.width),
    y: along(y, window.height / scale, drawing.height),
    scale,
  };
}
