/** What the rules ask of a file, read with TypeScript's own parser. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import ts from "typescript";

export interface Import {
  readonly specifier: string;
  /** `file` is started in a thread of its own, by its URL; no module edge. */
  readonly kind: "value" | "type" | "url";
  readonly line: number;
}

export interface Finding {
  readonly what: string;
  readonly line: number;
}

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly imports: readonly Import[];
  /** Strings in it that look like the path of a TypeScript file. */
  readonly named: readonly string[];
  /** Clocks, timers, random sources and `fetch` of the platform. */
  readonly platformUses: readonly Finding[];
  /** `new Error(...)` and its built-in kin. */
  readonly bareErrors: readonly Finding[];
  /** Nothing in it but re-exports. */
  readonly isBarrel: boolean;
}

const FOLDERS = ["src", "app", "examples", "signaling-server", "bench", "tools", "test"];
const PLATFORM_MEMBERS =
  /^((globalThis|self|window)\.)?(Date\.now|Math\.random|performance\.now|crypto\.(getRandomValues|randomUUID))$/;
const PLATFORM_FUNCTIONS = /^((globalThis|self|window)\.)?(setTimeout|setInterval|fetch)$/;
const BUILT_IN_ERRORS = /^(Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|URIError)$/;

/** All TypeScript files of the repository at `root`, and the scripts that its pages name. */
export function readTree(root: string): { files: SourceFile[]; pageScripts: string[] } {
  const files: SourceFile[] = [];
  const pageScripts: string[] = [];
  const paths = FOLDERS.flatMap((folder) => list(root, folder));
  for (const path of [...paths, ...list(root, ".", { isDeep: false })]) {
    const text = readFileSync(join(root, path), "utf8");
    if (path.endsWith(".ts")) files.push(readSource(path, text));
    else
      for (const [, script] of text.matchAll(/<script[^>]*\ssrc="([^"]+)"/g))
        pageScripts.push(beside(path, script ?? ""));
  }
  return { files, pageScripts };
}

/** `specifier` as seen from `path`, from the root. */
export function beside(path: string, specifier: string): string {
  return posix.join(dirname(path), specifier.replace(/\?.*$/, ""));
}

function list(root: string, folder: string, options = { isDeep: true }): string[] {
  const found: string[] = [];
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  for (const entry of entries) {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory() && options.isDeep && entry.name !== "node_modules" && entry.name !== "dist") {
      found.push(...list(root, path));
    } else if (entry.isFile() && /\.(ts|html)$/.test(entry.name) && !entry.name.endsWith(".d.ts")) found.push(path);
  }
  return found;
}

function readSource(path: string, text: string): SourceFile {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const named: string[] = [];
  const platformUses: Finding[] = [];
  const bareErrors: Finding[] = [];
  const own = ownNames(source);
  /** `isCode` is false inside types, which use nothing. */
  const visit = (node: ts.Node, isCode: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const found = importOf(node);
    if (found) imports.push({ ...found, line });
    if (ts.isStringLiteral(node) && /^[\w./-]+\.ts$/.test(node.text)) named.push(node.text);
    const use = isCode ? platformUse(node, own) : undefined;
    if (use) platformUses.push({ what: use, line });
    const error = bareError(node);
    if (error) bareErrors.push({ what: error, line });
    // `globalThis.fetch` is one use, not two.
    if (!use) ts.forEachChild(node, (child) => visit(child, isCode && !ts.isTypeNode(child)));
  };
  for (const statement of source.statements) visit(statement, true);
  const isBarrel =
    source.statements.length > 0 &&
    source.statements.every((statement) => ts.isExportDeclaration(statement) && statement.moduleSpecifier);
  return { path, imports, named, platformUses, bareErrors, isBarrel };
}

function importOf(node: ts.Node): Omit<Import, "line"> | undefined {
  const text = (literal: ts.Node | undefined): string | undefined =>
    literal && ts.isStringLiteralLike(literal) ? literal.text : undefined;
  const as = (specifier: string | undefined, kind: Import["kind"]): Omit<Import, "line"> | undefined =>
    specifier === undefined ? undefined : { specifier, kind };
  if (ts.isImportDeclaration(node)) {
    return as(
      text(node.moduleSpecifier),
      node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "value",
    );
  }
  if (ts.isExportDeclaration(node)) return as(text(node.moduleSpecifier), node.isTypeOnly ? "type" : "value");
  if (ts.isImportTypeNode(node)) {
    return as(ts.isLiteralTypeNode(node.argument) ? text(node.argument.literal) : undefined, "type");
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return as(text(node.arguments[0]), "value");
  }
  // new URL("./engine.ts", import.meta.url)
  if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "URL") {
    const [path, base] = node.arguments ?? [];
    const specifier = text(path);
    const isHere = base !== undefined && base.getText() === "import.meta.url" && specifier?.endsWith(".ts");
    return as(isHere ? specifier : undefined, "url");
  }
  return undefined;
}

function platformUse(node: ts.Node, own: ReadonlySet<string>): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText();
    return PLATFORM_MEMBERS.test(name) || (name.includes(".") && PLATFORM_FUNCTIONS.test(name)) ? name : undefined;
  }
  if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) return "new Date()";
  if (!ts.isIdentifier(node) || own.has(node.text) || !PLATFORM_FUNCTIONS.test(node.text)) return undefined;
  const { parent } = node;
  // A name of something else: a property, a method, a member of an interface.
  const isName =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isPropertyAssignment(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent)) &&
      parent.name === node);
  return isName ? undefined : node.text;
}

function bareError(node: ts.Node): string | undefined {
  if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return undefined;
  const name = node.expression.getText();
  return BUILT_IN_ERRORS.test(name) ? name : undefined;
}

/** Names that the file itself declares: a parameter called `fetch` is not the platform's. */
function ownNames(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isDeclaration =
      ts.isParameter(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isImportSpecifier(node);
    // A function type's parameter binds nothing.
    const isBinding = isDeclaration && !ts.isFunctionTypeNode(node.parent) && !ts.isMethodSignature(node.parent);
    if (isBinding && node.name && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}
