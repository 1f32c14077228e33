/** The page map as SVG paths: one for each use in a slab, so that 256 cells are a few nodes and the theme colours them. */
import { decodeCells, type CellUse, type MemorySummary } from "../../../network/wire/memory-summary.ts";

/** Of a cell's side, left free on all sides. */
const GAP = 0.06;
const SIDE = 1 - 2 * GAP;

/** A slab as it is drawn: cells in rows, in units of one cell. */
export interface SlabDrawing {
  readonly columns: number;
  readonly rows: number;
  readonly paths: readonly { readonly use: CellUse; readonly path: string }[];
}

/** Every slab of `memory`, in rows of at most `columnsMax` cells. */
export function drawSlabs(memory: MemorySummary, columnsMax: number): SlabDrawing[] {
  return memory.slabs.map((text) => drawSlab(decodeCells(text) ?? [], columnsMax)).filter(({ rows }) => rows > 0);
}

function drawSlab(cells: readonly CellUse[], columnsMax: number): SlabDrawing {
  const columns = Math.min(columnsMax, cells.length);
  const paths = new Map<CellUse, string>();
  cells.forEach((use, at) => {
    const x = at % columns;
    const y = Math.floor(at / columns);
    paths.set(use, `${paths.get(use) ?? ""}M${x + GAP} ${y + GAP}h${SIDE}v${SIDE}h-${SIDE}z`);
  });
  const rows = columns === 0 ? 0 : Math.ceil(cells.length / columns);
  return { columns, rows, paths: [...paths].map(([use, path]) => ({ use, path })) };
}
