/** The two canvases of a graph, its window and its overview: their sizes, the view, and drawing at most once a frame. */
import { drawGraph, drawOverview, nodeAt, overviewScale } from "./draw-graph.ts";
import type { GraphLook, GraphMarks } from "./draw-graph.ts";
import type { DrawnGraph } from "./inspect-api.ts";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout-graph.ts";
import { centred, opening, panned, zoomed } from "./viewport.ts";
import type { Size, Viewport } from "./viewport.ts";

const MARGIN = 24;
const NO_SIZE: Size = { width: 0, height: 0 };
const NO_MARKS: GraphMarks = { node: -1, kernel: -1, found: null };

/** Where it draws, and in which colours: looked up anew for each drawing that follows `recolour`. */
export interface GraphCanvasPlace {
  readonly window: HTMLCanvasElement;
  readonly overview: HTMLCanvasElement;
  look(): GraphLook;
}

export class GraphCanvas {
  readonly #place: GraphCanvasPlace;
  readonly #resize = new ResizeObserver(() => this.#fit());
  #graph: DrawnGraph | null = null;
  #marks: GraphMarks = NO_MARKS;
  #look: GraphLook | null = null;
  #view: Viewport | null = null;
  #window: Size = NO_SIZE;
  #strip: Size = NO_SIZE;
  #frame = 0;

  constructor(place: GraphCanvasPlace) {
    this.#place = place;
    this.#resize.observe(place.window);
    this.#resize.observe(place.overview);
  }

  /** Stops watching and drawing. */
  close(): void {
    this.#resize.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** Shows `graph` from its beginning, unless it is there already. */
  show(graph: DrawnGraph, marks: GraphMarks): void {
    if (graph !== this.#graph) this.#view = null;
    this.#graph = graph;
    this.#marks = marks;
    this.#draw();
  }

  /** Colours have changed. */
  recolour(): void {
    this.#look = null;
    this.#draw();
  }

  /** Zooms around a point of the window, or its middle. */
  zoom(factor: number, px: number = this.#window.width / 2, py: number = this.#window.height / 2): void {
    this.#move((view, layout) => zoomed(view, factor, px, py, this.#window, layout));
  }

  pan(dx: number, dy: number): void {
    this.#move((view, layout) => panned(view, dx, dy, this.#window, layout));
  }

  /** Back to the beginning of the graph. */
  open(): void {
    this.#move((_, layout) => this.#opening(layout));
  }

  /** Brings a node into view, into the middle where it was outside. */
  reveal(node: number): void {
    this.#move((view, layout) => {
      const [x, y] = [layout.x[node] ?? 0, layout.y[node] ?? 0];
      const [right, bottom] = [view.x + this.#window.width / view.scale, view.y + this.#window.height / view.scale];
      const isSeen = x >= view.x && x + NODE_WIDTH <= right && y >= view.y && y + NODE_HEIGHT <= bottom;
      if (isSeen) return view;
      return centred(view, x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, this.#window, layout);
    });
  }

  /** Centres what is at a point of the overview. */
  jump(px: number, py: number): void {
    this.#move((view, layout) => {
      const [across, down] = overviewScale(layout, this.#strip);
      return centred(view, px / across, py / down, this.#window, layout);
    });
  }

  /** The node at a point of the window, or nearest to its middle; -1 for none. */
  nodeAt(px: number, py: number): number {
    return this.#graph === null || this.#view === null ? -1 : nodeAt(this.#graph, this.#view, px, py);
  }

  nearestToMiddle(): number {
    if (this.#graph === null || this.#view === null) return -1;
    const { layout } = this.#graph;
    const x = this.#view.x + this.#window.width / this.#view.scale / 2 - NODE_WIDTH / 2;
    const y = this.#view.y + this.#window.height / this.#view.scale / 2 - NODE_HEIGHT / 2;
    let [nearest, least] = [-1, Infinity];
    for (const [id, left] of layout.x.entries()) {
      const far = Math.hypot(left - x, (layout.y[id] ?? 0) - y);
      if (far < least) [nearest, least] = [id, far];
    }
    return nearest;
  }

  #move(to: (view: Viewport, layout: DrawnGraph["layout"]) => Viewport): void {
    if (this.#graph === null || this.#window.width === 0) return;
    const { layout } = this.#graph;
    this.#view = to(this.#view ?? this.#opening(layout), layout);
    this.#draw();
  }

  /** The graph's beginning: what stands in the first window's width. */
  #opening(layout: DrawnGraph["layout"]): Viewport {
    let [top, bottom] = [layout.height, 0];
    for (const [id, x] of layout.x.entries()) {
      if (x > this.#window.width) continue;
      top = Math.min(top, layout.y[id] ?? 0);
      bottom = Math.max(bottom, (layout.y[id] ?? 0) + NODE_HEIGHT);
    }
    return opening(this.#window, layout, top, bottom, MARGIN);
  }

  #fit(): void {
    const before = this.#window;
    this.#window = fitted(this.#place.window);
    // What is in the middle stays there.
    if (before.width > 0) this.pan((this.#window.width - before.width) / 2, (this.#window.height - before.height) / 2);
    this.#strip = fitted(this.#place.overview);
    this.#draw();
  }

  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      const graph = this.#graph;
      if (graph === null || this.#window.width === 0) return;
      this.#look ??= this.#place.look();
      this.#view ??= this.#opening(graph.layout);
      const [window, strip] = [scaledContext(this.#place.window), scaledContext(this.#place.overview)];
      if (window) drawGraph(window, graph, this.#view, this.#window, this.#marks, this.#look);
      if (strip) drawOverview(strip, graph, this.#view, this.#window, this.#strip, this.#marks, this.#look);
    });
  }
}

/** Gives the canvas a pixel for each of the screen's; returns its size in CSS pixels. */
function fitted(canvas: HTMLCanvasElement): Size {
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  return { width, height };
}

function scaledContext(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const context = canvas.getContext("2d");
  context?.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  return context;
}
