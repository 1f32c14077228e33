/** Cutting pieces of text at matches: the five ways of tokenizer files. */
import type { Fields } from "./json-fields.ts";

/** Part of a text on its way to the model. */
export interface Piece {
  readonly text: string;
  /** At the very beginning of what was encoded. */
  readonly isFirst: boolean;
}

/** What becomes of matches and of what lies between them. */
export type SplitBehavior = "Removed" | "Isolated" | "MergedWithPrevious" | "MergedWithNext" | "Contiguous";

const BEHAVIORS: readonly SplitBehavior[] = [
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
];

/** A behaviour as files name it. @throws UnsupportedError */
export function behaviorOf(fields: Fields, missing?: SplitBehavior): SplitBehavior {
  const found = fields.string("behavior", missing);
  const behavior = BEHAVIORS.find((name) => name === found);
  if (behavior === undefined) throw fields.unsupported("behavior", `one of ${BEHAVIORS.join(", ")}`);
  return behavior;
}

interface Span {
  from: number;
  to: number;
  readonly isMatch: boolean;
}

export interface SplitOptions {
  readonly behavior: SplitBehavior;
  /** What lies between the matches counts as the matches. */
  readonly invert?: boolean;
}

/** The pieces cut at the matches of `pattern` (global); empty ones are left out. */
export function splitPieces(pieces: readonly Piece[], pattern: RegExp, options: SplitOptions): Piece[] {
  return pieces.flatMap(({ text, isFirst }) =>
    joined(spansOf(text, pattern, options.invert ?? false), options.behavior)
      .filter(({ from, to }) => to > from)
      .map(({ from, to }) => ({ text: text.slice(from, to), isFirst: isFirst && from === 0 })),
  );
}

/** Matches and what is between them, in order. */
function spansOf(text: string, pattern: RegExp, invert: boolean): Span[] {
  const spans: Span[] = [];
  let end = 0;
  let lastMatchEnd = -1;
  for (const match of text.matchAll(pattern)) {
    const from = match.index;
    const to = from + match[0].length;
    // Nothing, found right behind a match, is no match.
    if (from === to && from === lastMatchEnd) continue;
    if (from > end) spans.push({ from: end, to: from, isMatch: invert });
    spans.push({ from, to, isMatch: !invert });
    end = to;
    lastMatchEnd = to;
  }
  if (end < text.length) spans.push({ from: end, to: text.length, isMatch: invert });
  return spans;
}

function joined(spans: readonly Span[], behavior: SplitBehavior): Span[] {
  switch (behavior) {
    case "Isolated":
      return [...spans];
    case "Removed":
      return spans.filter(({ isMatch }) => !isMatch);
    case "MergedWithPrevious":
      return merged(spans, (span, before) => span.isMatch && !before);
    case "Contiguous":
      return merged(spans, (span, before) => span.isMatch === before);
    case "MergedWithNext":
      return merged(spans.map(mirrored).reverse(), (span, before) => span.isMatch && !before)
        .map(mirrored)
        .reverse();
  }
}

/** Joins a span to the one before where `joins` says so; at first nothing before it has matched. */
function merged(spans: readonly Span[], joins: (span: Span, before: boolean) => boolean): Span[] {
  const out: Span[] = [];
  let before = false;
  for (const span of spans) {
    const last = out.at(-1);
    if (last !== undefined && joins(span, before)) last.to = span.to;
    else out.push({ ...span });
    before = span.isMatch;
  }
  return out;
}

/** From the end of the text backwards. */
function mirrored({ from, to, isMatch }: Span): Span {
  return { from: -to, to: -from, isMatch };
}
