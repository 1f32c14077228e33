/** What an einsum's equation says, as labels of axes. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Label } from "./contract-pair.ts";

/** Labels are numbers: those of "..." are negative, -1 the last of its axes; letters are their char codes. */
export interface Equation {
  /** For each operand a label for each axis; one may occur several times. */
  readonly inputs: readonly (readonly Label[])[];
  readonly output: readonly Label[];
}

/** For operands of these shapes. @throws OptionError for what is no equation; ShapeError where the ranks do not fit */
export function parseEquation(text: string, shapes: readonly (readonly number[])[]): Equation {
  const [left = "", right, ...rest] = text.replaceAll(" ", "").split("->");
  const terms = left.split(",");
  if (rest.length > 0) throw wrong(text, "at most one ->");
  if (terms.length !== shapes.length) throw wrong(text, `a term for each of ${shapes.length} operands`);
  const inputs = terms.map((term, i) => inputLabels(text, term, shapes[i] ?? []));
  if (right === undefined) return { inputs, output: implicitOutput(inputs) };
  const rank = Math.max(0, ...inputs.map((labels) => labels.filter((label) => label < 0).length));
  const output = termLabels(text, right, rank);
  const known = new Set(inputs.flat());
  for (const label of output) {
    if (label >= 0 && !known.has(label)) throw wrong(text, `output letters that an operand has (${String.fromCharCode(label)} is none)`); // prettier-ignore
  }
  if (new Set(output).size !== output.length) throw wrong(text, "distinct letters in the output");
  return { inputs, output };
}

function wrong(text: string, expected: string): OptionError {
  return new OptionError(`einsum: expected ${expected}, found "${text}"`);
}

function inputLabels(text: string, term: string, shape: readonly number[]): Label[] {
  const rank = shape.length - termLabels(text, term, 0).length;
  if (rank < 0 || (rank > 0 && !term.includes("..."))) {
    throw new ShapeError(`einsum: expected an operand with the axes of "${term}" in "${text}", found ${formatShape(shape)}`); // prettier-ignore
  }
  return termLabels(text, term, rank);
}

/** With `rank` axes for "...". */
function termLabels(text: string, term: string, rank: number): Label[] {
  const [before = "", after, ...rest] = term.split("...");
  const letters = [...before, ...(after ?? "")];
  if (rest.length > 0 || !letters.every((letter) => /^[a-zA-Z]$/.test(letter))) {
    throw wrong(text, 'terms of letters, with "..." at most once each');
  }
  const codes = (part: string): number[] => [...part].map((letter) => letter.charCodeAt(0));
  const dots = after === undefined ? [] : Array.from({ length: rank }, (_, i) => i - rank);
  return [...codes(before), ...dots, ...codes(after ?? "")];
}

/** "..." first, then all letters that occur once, in the order of the alphabet (capitals first). */
function implicitOutput(inputs: readonly (readonly Label[])[]): Label[] {
  const all = inputs.flat();
  const dots = all.filter((label) => label < 0);
  const single = all.filter((label) => label >= 0 && all.filter((other) => other === label).length === 1);
  return [...new Set(dots), ...single].sort((a, b) => a - b);
}
