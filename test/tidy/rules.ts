/** The rules that keep the tree tidy, each a function of the files read. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLATFORM_FILES, ROOT_FILES, layerOf } from "./layers.ts";
import type { Layer } from "./layers.ts";
import { beside, readTree } from "./source.ts";
import type { Finding, Import, SourceFile } from "./source.ts";

export interface Violation {
  readonly rule: "layer" | "cycle" | "barrel" | "unused-file" | "platform" | "bare-error";
  /** File, or file and line. */
  readonly at: string;
  readonly what: string;
}

interface Package {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

interface Tree {
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly pageScripts: readonly string[];
  readonly manifest: Package;
}

/** Everything untidy in the repository at `root`. */
export function findViolations(root: string): Violation[] {
  const { files, pageScripts } = readTree(root);
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Package;
  const tree: Tree = { files: new Map(files.map((file) => [file.path, file])), pageScripts, manifest };
  return [...layers(tree), ...cycles(tree), ...unusedFiles(tree), ...files.flatMap((file) => perFile(file))];
}

function perFile(file: SourceFile): Violation[] {
  const { path } = file;
  if (!path.startsWith("src/")) return [];
  const found: Violation[] = [];
  const add = (rule: Violation["rule"], findings: readonly Finding[]): void => {
    for (const { what, line } of findings) found.push({ rule, at: `${path}:${line}`, what });
  };
  if (!PLATFORM_FILES.some((allowed) => path.startsWith(allowed))) add("platform", file.platformUses);
  add("bare-error", file.bareErrors);
  const isEntry = path.split("/").length === 2;
  if (!isEntry && (file.isBarrel || path.endsWith("/index.ts"))) {
    found.push({ rule: "barrel", at: path, what: "a file that only passes others on" });
  }
  return found;
}

/** The file that an import leads to, or undefined for packages. */
function targetOf({ manifest }: Tree, from: string, { specifier }: Import): string | undefined {
  if (specifier.startsWith(".")) return beside(from, specifier);
  const entry = entryOf(manifest, specifier);
  return entry?.replace(/^\.\//, "");
}

function entryOf({ name, exports }: Package, specifier: string): string | undefined {
  if (specifier !== name && !specifier.startsWith(`${name}/`)) return undefined;
  return exports[`.${specifier.slice(name.length)}`];
}

function layers(tree: Tree): Violation[] {
  const found: Violation[] = [];
  for (const { path, imports } of tree.files.values()) {
    const isRootFile = !path.includes("/");
    const layer = layerOf(path);
    if (!layer && !isRootFile) found.push({ rule: "layer", at: path, what: "belongs to no layer" });
    if (!layer) continue;
    for (const edge of imports) {
      const at = `${path}:${edge.line}`;
      const target = targetOf(tree, path, edge);
      const { name } = tree.manifest;
      const isByName = edge.specifier === name || edge.specifier.startsWith(`${name}/`);
      if (isByName) {
        if (!layer.mayEntries)
          found.push({ rule: "layer", at, what: `${layer.folder} may not import "${edge.specifier}"` });
        else if (!target) found.push({ rule: "layer", at, what: `"${edge.specifier}" is no public entry` });
        continue;
      }
      if (!target || isAllowed(layer, target, edge.kind)) continue;
      found.push({ rule: "layer", at, what: `${layer.folder} may not import ${target}` });
    }
  }
  return found;
}

function isAllowed(layer: Layer, target: string, kind: Import["kind"]): boolean {
  const isIn = (folder: string): boolean => target.startsWith(`${folder}/`);
  return isIn(layer.folder) || layer.may.some(isIn) || (kind === "type" && (layer.mayTypes ?? []).some(isIn));
}

/** Groups of files that import one another, in a circle. Types count for nothing here: they are gone at run time. */
function cycles(tree: Tree): Violation[] {
  const edges = new Map<string, string[]>();
  for (const { path, imports } of tree.files.values()) {
    const targets = imports.filter(({ kind }) => kind === "value").map((edge) => targetOf(tree, path, edge));
    edges.set(path, targets.filter((target) => target !== undefined && tree.files.has(target)) as string[]);
  }
  return stronglyConnected(edges).map((group) => ({
    rule: "cycle",
    at: group[0] ?? "",
    what: `imported in a circle: ${group.join(" -> ")}`,
  }));
}

/** Components of more than one file, or of one that imports itself (Tarjan, 1972). */
function stronglyConnected(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const groups: string[][] = [];
  const connect = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) connect(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0, index.get(next) ?? 0));
    }
    if (low.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1 || edges.get(node)?.includes(node)) groups.push(group);
  };
  for (const node of edges.keys()) if (!index.has(node)) connect(node);
  return groups;
}

/** Files that nothing leads to from an entry, a test, a program or a page. */
function unusedFiles(tree: Tree): Violation[] {
  const { scripts, exports } = tree.manifest;
  const started = Object.values(scripts).flatMap((script) => script.match(/[\w./-]+\.ts\b/g) ?? []);
  const entries = Object.values(exports).map((path) => path.replace(/^\.\//, ""));
  const matching = [...tree.files.keys()].filter(
    (path) => !path.includes("/") || ROOT_FILES.some((root) => root.test(path)),
  );
  const reached = new Set<string>();
  const next = [...started, ...entries, ...tree.pageScripts, ...matching];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const file = tree.files.get(path);
    if (!file || reached.has(path)) continue;
    reached.add(path);
    for (const edge of file.imports) {
      const target = targetOf(tree, path, edge);
      if (target) next.push(target);
    }
    // Tests and programs also start files by their path.
    if (!path.startsWith("src/")) for (const name of file.named) next.push(name, beside(path, name));
  }
  const unused = [...tree.files.keys()].filter((path) => !reached.has(path));
  return unused.map((path) => ({ rule: "unused-file", at: path, what: "nothing imports it" }));
}
