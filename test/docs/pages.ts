/** The examples of the documentation: the blocks of a page, in their order, as one module whose lines are the page's. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Page {
  /** Within the repository: "docs/tensors.md". */
  readonly path: string;
  readonly text: string;
  /** The module; empty lines where the page has no example. */
  readonly source: string;
  /** Lines, from 1, with the comment that says what `console.log` prints there. */
  readonly expected: ReadonlyMap<number, string>;
}

const SAY = /^(.*?)\bconsole\.log\((.*)\);(?: \/\/ (.*))?$/;

/** README.md and all of docs/. */
export function readPages(root: string): Page[] {
  const names = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...names.map((name) => `docs/${name}`)].map((path) =>
    pageOf(path, readFileSync(join(root, path), "utf8")),
  );
}

/** @throws Error naming the page and the line of a `console.log` without a comment */
export function pageOf(path: string, text: string): Page {
  const expected = new Map<number, string>();
  let isExample = false;
  const lines = text.split("\n").map((line, at) => {
    if (line.startsWith("```")) {
      isExample = line === "```ts";
      return "";
    }
    if (!isExample) return "";
    const [, before, values, comment] = SAY.exec(line) ?? [];
    if (before === undefined && !line.includes("console.log")) return line;
    if (comment === undefined) {
      throw new Error(`${path}:${at + 1}: expected console.log(..); // what it prints, found ${line.trim()}`);
    }
    expected.set(at + 1, comment);
    return `${before}listener.say(${at + 1}, ${values});`;
  });
  const [heading = "", ...rest] = lines;
  if (heading !== "") throw new Error(`${path}:1: expected a heading, found an example`);
  return {
    path,
    text,
    source: ['import { listener } from "../../../test/docs/say.ts"; listener;', ...rest].join("\n"),
    expected,
  };
}
