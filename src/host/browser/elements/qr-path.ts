/** A QR code as one SVG path: sharp at every size, and free of a canvas. */
import { correction, generate } from "lean-qr";

const QUIET_MODULES = 4; // ISO/IEC 18004, section 9.1.

export interface QrPath {
  /** Path data in units of one module, quiet zone included. */
  readonly path: string;
  /** Modules along a side, quiet zone included. */
  readonly size: number;
}

/** The code of `text`, with at least 15% of its words correctable: a screen across a room, seen at an angle. */
export function qrPath(text: string): QrPath {
  const code = generate(text, { minCorrectionLevel: correction.M });
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      if (!code.get(x, y)) continue;
      const from = x;
      while (x < code.size && code.get(x, y)) x++;
      path += `M${from + QUIET_MODULES} ${y + QUIET_MODULES}h${x - from}v1h${from - x}z`;
    }
  }
  return { path, size: code.size + 2 * QUIET_MODULES };
}
