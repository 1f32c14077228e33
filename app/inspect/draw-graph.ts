/**
 * Draws the part of a graph that a canvas shows: edges behind, nodes before them, labels where they can be read. The
 * whole graph, as points, goes into the overview. Costs what is in view: thousands of nodes pan at the screen's pace.
 */
import type { GraphNodeReport } from "hearth";
import type { DrawnGraph } from "./inspect-api.ts";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout-graph.ts";
import type { Size, Viewport } from "./viewport.ts";

/** Colours that a canvas understands, and the font. */
export interface GraphLook {
  readonly surface: string;
  readonly sunken: string;
  readonly ink: string;
  readonly muted: string;
  readonly edge: string;
  readonly ember: string;
  /** Of kernels, by their numbers. */
  readonly kernels: readonly string[];
  readonly font: string;
}

export interface GraphMarks {
  /** The node that is looked at; -1 for none. */
  readonly node: number;
  /** The kernel that is looked at; -1 for none. Others step back. */
  readonly kernel: number;
  /** Nodes that a search found; null when nothing is searched. */
  readonly found: ReadonlySet<number> | null;
}

/** Below this scale labels are no text but noise. */
const LABEL_SCALE_MIN = 0.42;
const FAINT = 0.4;

export function drawGraph(
  context: CanvasRenderingContext2D,
  { report, layout }: DrawnGraph,
  view: Viewport,
  window: Size,
  marks: GraphMarks,
  look: GraphLook,
): void {
  const { nodes } = report;
  const { scale } = view;
  context.clearRect(0, 0, window.width, window.height);
  context.save();
  context.scale(scale, scale);
  context.translate(-view.x, -view.y);
  const right = view.x + window.width / scale;
  const bottom = view.y + window.height / scale;
  const isSeen = (x0: number, y0: number, x1: number, y1: number): boolean =>
    x1 >= view.x && x0 <= right && y1 >= view.y && y0 <= bottom;

  for (const node of nodes) drawEdges(context, node, layout, marks, look, isSeen, scale);
  context.textBaseline = "alphabetic";
  for (const node of nodes) {
    const [x, y] = [layout.x[node.id] ?? 0, layout.y[node.id] ?? 0];
    if (!isSeen(x, y, x + NODE_WIDTH, y + NODE_HEIGHT)) continue;
    context.globalAlpha = isFaint(node, marks) ? FAINT : 1;
    drawNode(context, node, x, y, marks, look, scale);
  }
  context.restore();
}

function isFaint({ id, kernels }: GraphNodeReport, { kernel, found, node }: GraphMarks): boolean {
  if (id === node) return false;
  if (found !== null) return !found.has(id);
  return kernel >= 0 && !kernels.includes(kernel);
}

function drawEdges(
  context: CanvasRenderingContext2D,
  { id, inputs }: GraphNodeReport,
  { x, y }: DrawnGraph["layout"],
  marks: GraphMarks,
  look: GraphLook,
  isSeen: (x0: number, y0: number, x1: number, y1: number) => boolean,
  scale: number,
): void {
  const [endX, endY] = [x[id] ?? 0, (y[id] ?? 0) + NODE_HEIGHT / 2];
  for (const input of inputs) {
    const [startX, startY] = [(x[input] ?? 0) + NODE_WIDTH, (y[input] ?? 0) + NODE_HEIGHT / 2];
    if (!isSeen(startX, Math.min(startY, endY), endX, Math.max(startY, endY))) continue;
    const isMarked = id === marks.node || input === marks.node;
    context.globalAlpha = isMarked ? 1 : marks.found !== null || marks.kernel >= 0 ? 0.25 : 0.5;
    context.strokeStyle = isMarked ? look.ember : look.edge;
    context.lineWidth = (isMarked ? 2 : 1) / Math.min(1, Math.max(scale, 0.5));
    const bend = Math.min(96, Math.max(24, (endX - startX) / 2));
    context.beginPath();
    context.moveTo(startX, startY);
    context.bezierCurveTo(startX + bend, startY, endX - bend, endY, endX, endY);
    context.stroke();
  }
}

function drawNode(
  context: CanvasRenderingContext2D,
  node: GraphNodeReport,
  x: number,
  y: number,
  marks: GraphMarks,
  look: GraphLook,
  scale: number,
): void {
  const [kernel] = node.kernels;
  const color = kernel === undefined ? undefined : look.kernels[kernel % look.kernels.length];
  context.beginPath();
  context.roundRect(x, y, NODE_WIDTH, NODE_HEIGHT, 6);
  context.fillStyle = node.isStored ? look.sunken : look.surface;
  context.fill();
  context.strokeStyle = color ?? look.edge;
  context.lineWidth = node.isStored ? 2 : 1;
  context.stroke();
  if (color !== undefined) {
    context.save();
    context.clip();
    context.fillStyle = color;
    // Far away the colour is all there is to see.
    context.fillRect(x, y, scale < LABEL_SCALE_MIN ? NODE_WIDTH : 8, NODE_HEIGHT);
    context.restore();
  }
  if (node.id === marks.node || marks.found?.has(node.id) === true) {
    context.strokeStyle = look.ember;
    context.lineWidth = (node.id === marks.node ? 3 : 2) / Math.min(1, scale);
    context.beginPath();
    context.roundRect(x - 3, y - 3, NODE_WIDTH + 6, NODE_HEIGHT + 6, 8);
    context.stroke();
  }
  if (scale < LABEL_SCALE_MIN) return;
  const room = NODE_WIDTH - 24;
  context.fillStyle = look.ink;
  context.font = `600 13px ${look.font}`;
  context.fillText(titleOf(node), x + 15, y + 16, room);
  context.fillStyle = look.muted;
  context.font = `11px ${look.font}`;
  context.fillText(footOf(node), x + 15, y + 31, room);
}

/** "add", "reduce sum 1", "constant 0.3333": without the family where the function says it, digits that fit. */
export function titleOf({ kind, label }: GraphNodeReport): string {
  const rest = label.slice(kind.length + 1);
  if (kind === "constant") return `constant ${Number(Number(rest).toPrecision(4))}`;
  return kind === "unary" || kind === "binary" ? rest : label;
}

function footOf({ shape, dtype, kernels }: GraphNodeReport): string {
  const more = kernels.length > 1 ? ` · in ${kernels.length} kernels` : "";
  return `[${shape.join(", ")}]${dtype === "float32" ? "" : ` ${dtype}`}${more}`;
}

/** The node at the window's point [px, py]; -1 where there is none. */
export function nodeAt({ layout }: DrawnGraph, view: Viewport, px: number, py: number): number {
  const [x, y] = [view.x + px / view.scale, view.y + py / view.scale];
  for (let id = layout.x.length - 1; id >= 0; id--) {
    const [left, top] = [layout.x[id] ?? 0, layout.y[id] ?? 0];
    if (x >= left && x <= left + NODE_WIDTH && y >= top && y <= top + NODE_HEIGHT) return id;
  }
  return -1;
}

/** The whole graph in a strip, and a frame around what is in view. Gives pixels for each unit, both ways. */
export function drawOverview(
  context: CanvasRenderingContext2D,
  { report, layout }: DrawnGraph,
  view: Viewport,
  window: Size,
  strip: Size,
  marks: GraphMarks,
  look: GraphLook,
): void {
  const [across, down] = overviewScale(layout, strip);
  context.clearRect(0, 0, strip.width, strip.height);
  for (const node of report.nodes) {
    const [kernel] = node.kernels;
    const color = kernel === undefined ? undefined : look.kernels[kernel % look.kernels.length];
    context.globalAlpha = isFaint(node, marks) ? FAINT : 1;
    context.fillStyle = color ?? look.edge;
    const [x, y] = [(layout.x[node.id] ?? 0) * across, (layout.y[node.id] ?? 0) * down];
    context.fillRect(x, y, Math.max(1.5, NODE_WIDTH * across), Math.max(1.5, NODE_HEIGHT * down));
  }
  context.globalAlpha = 1;
  context.strokeStyle = look.ember;
  context.lineWidth = 2;
  const [left, top] = [Math.max(1, view.x * across), Math.max(1, view.y * down)];
  const right = Math.min(strip.width - 1, (view.x + window.width / view.scale) * across);
  const bottom = Math.min(strip.height - 1, (view.y + window.height / view.scale) * down);
  context.strokeRect(left, top, Math.max(4, right - left), Math.max(4, bottom - top));
}

/** Pixels of the strip for each unit of the drawing, across and down. */
export function overviewScale(layout: Size, strip: Size): readonly [number, number] {
  return [strip.width / Math.max(1, layout.width), strip.height / Math.max(1, layout.height)];
}
