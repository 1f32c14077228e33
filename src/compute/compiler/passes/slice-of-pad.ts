/** A slice of a pad reads elements of what is padded, the padding, or both: each axis says which. */
import { constant, pad, slice } from "../graph.ts";
import type { Node } from "../ir.ts";
import type { NodeOf } from "./pattern.ts";

/** How a slice meets a pad along one axis. */
type Meeting =
  /** It reads padding alone. */
  | { readonly kind: "outside" }
  /** It reads elements alone. */
  | { readonly kind: "inside"; readonly start: number; readonly step: number }
  /** It reads side by side, so that what it reads is padded less. */
  | { readonly kind: "across"; readonly low: number };

/** slice(pad(x)) as pad(slice(x)) or a constant; undefined where it is neither. */
export function sliceOfPad(outer: NodeOf<"slice">, inner: NodeOf<"pad">, x: Node): Node | undefined {
  const { low, interior, value } = inner.primitive;
  const { starts, steps } = outer.primitive;
  if (outer.shape.includes(0) || x.shape.includes(0)) return undefined;
  const meetings = outer.shape.map((count, axis) =>
    meetingOf(
      { low: low[axis] ?? 0, apart: (interior[axis] ?? 0) + 1, size: x.shape[axis] ?? 1 },
      { start: starts[axis] ?? 0, step: steps[axis] ?? 1, count },
    ),
  );
  if (meetings.some((meeting) => meeting?.kind === "outside")) return constant(value, outer.shape, outer.dtype);
  const known = meetings.filter((meeting) => meeting !== undefined);
  if (known.length < meetings.length) return undefined;
  const inside = slice(
    x,
    known.map((meeting) => (meeting.kind === "inside" ? meeting.start : 0)),
    known.map((meeting, axis) => (meeting.kind === "inside" ? outer.shape : x.shape)[axis] ?? 1),
    known.map((meeting) => (meeting.kind === "inside" ? meeting.step : 1)),
  );
  const lows = known.map((meeting) => (meeting.kind === "across" ? meeting.low : 0));
  const apart = known.map((meeting, axis) => (meeting.kind === "across" ? (interior[axis] ?? 0) : 0));
  const high = known.map((meeting, axis) => {
    if (meeting.kind !== "across") return 0;
    const reach = ((x.shape[axis] ?? 1) - 1) * ((interior[axis] ?? 0) + 1) + 1;
    return (outer.shape[axis] ?? 1) - meeting.low - reach;
  });
  return pad(inside, { low: lows, high, interior: apart, value });
}

function meetingOf(
  padded: { readonly low: number; readonly apart: number; readonly size: number },
  read: { readonly start: number; readonly step: number; readonly count: number },
): Meeting | undefined {
  const first = read.start - padded.low;
  const last = first + (read.count - 1) * read.step;
  const end = (padded.size - 1) * padded.apart;
  const [least, most] = [Math.min(first, last), Math.max(first, last)];
  const strides = read.count === 1 ? 0 : read.step;
  const isAligned = first % padded.apart === 0 && strides % padded.apart === 0;
  const isBetween = first % padded.apart !== 0 && strides % padded.apart === 0;
  if (most < 0 || least > end || isBetween) return { kind: "outside" };
  if (isAligned && least >= 0 && most <= end) {
    return { kind: "inside", start: first / padded.apart, step: strides === 0 ? 1 : strides / padded.apart };
  }
  return strides === 1 ? { kind: "across", low: -first } : undefined;
}
