/** The tiles that a contraction may be cut in. */
import { tileFor, tileSide, type Contraction, type Tile } from "../../kernels/contraction.ts";

export interface NamedTile {
  /** The sides wanted, "8x4": those of the tile are divisors near them. */
  readonly name: string;
  readonly value: Tile;
}

/** Rows and columns wanted. Larger ones load less for each sum, smaller ones keep more invocations busy. */
const WANTED: readonly (readonly [rows: number, columns: number])[] = [
  [4, 4],
  [8, 4],
  [4, 8],
  [8, 8],
  [2, 4],
  [16, 4],
  [1, 4],
];

/** The default first; each tile once. */
export function contractionTiles(product: Contraction): readonly NamedTile[] {
  const { rows, columns } = product;
  const usual = tileFor(product);
  const all = WANTED.map(([down, across]) => ({
    name: `${down}x${across}`,
    value: { rows: tileSide(rows, down), columns: tileSide(columns, across) },
  }));
  const first = all.find(({ value }) => sameTile(value, usual)) ?? { name: "default", value: usual };
  const distinct: NamedTile[] = [first];
  for (const tile of all) if (!distinct.some(({ value }) => sameTile(value, tile.value))) distinct.push(tile);
  return distinct;
}

function sameTile(a: Tile, b: Tile): boolean {
  return a.rows === b.rows && a.columns === b.columns;
}
