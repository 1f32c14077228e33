/** The documentation names everything that the framework exports, and all methods of tensors. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as browser from "../../src/browser.ts";
import * as hearth from "../../src/index.ts";
import * as network from "../../src/network.ts";
import * as node from "../../src/node.ts";
import * as tune from "../../src/tune.ts";
import { readPages } from "./pages.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const text = readPages(root)
  .filter(({ path }) => path.startsWith("docs/"))
  .map((page) => page.text)
  .join("\n");
const words = new Set(text.match(/\w+/g));

/** What is for plans and engines, not for people. */
const INTERNAL = ["constructor", "value", "restoreGrad", "markDisposed", "toString", "isDisposed"];

function missing(names: readonly string[]): string[] {
  return names.filter((name) => !words.has(name));
}

test("every public name of the framework is in the documentation", () => {
  const { data, functional, nn, optim, safetensors, ...own } = hearth;
  const found = Object.entries({
    own,
    data,
    functional,
    nn,
    init: nn.init,
    optim,
    safetensors,
    network,
    node,
    browser,
    tune,
  }).flatMap(([space, exports]) => missing(Object.keys(exports)).map((name) => `${space}.${name}`));
  expect(found).toEqual([]);
});

test("every method of tensors is in the documentation", () => {
  const names: string[] = [];
  for (
    let level: object | null = hearth.Tensor.prototype;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    names.push(...Object.getOwnPropertyNames(level));
  }
  expect(names.length).toBeGreaterThan(200);
  expect(missing(names.filter((name) => !INTERNAL.includes(name)))).toEqual([]);
});

test("operators.md lists nothing that is not there", () => {
  const page = readPages(root).find(({ path }) => path === "docs/operators.md");
  const listed = [...(page?.text ?? "").matchAll(/\[(\w+)\]\(\.\.\/src\//g)].map(([, name = ""]) => name);
  const known = new Set([...Object.keys(hearth), ...Object.keys(hearth.functional)]);
  expect(listed.length).toBeGreaterThan(250);
  expect(listed.filter((name) => !known.has(name) && !(name in hearth.Tensor.prototype))).toEqual([]);
});
