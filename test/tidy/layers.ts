/** The table of layers: which folder may import which. A file belongs to the deepest folder listed that holds it. */

export interface Layer {
  readonly folder: string;
  /** Folders of the repository, besides its own. */
  readonly may: readonly string[];
  /** Folders that it may import types from, and nothing that exists at run time. */
  readonly mayTypes?: readonly string[];
  /** The public entries, by package name: `hearth`, `hearth/swarm`. */
  readonly mayEntries?: boolean;
}

const BASE = "src/base";

/** Base, and folders of `compute`. */
function inCompute(...names: readonly string[]): string[] {
  return [BASE, ...names.map((name) => `src/compute/${name}`)];
}

const LAYERS: readonly Layer[] = [
  { folder: BASE, may: [] },
  { folder: "src/compute/layout", may: inCompute() },
  { folder: "src/compute/lang", may: inCompute("layout") },
  { folder: "src/compute/memory", may: inCompute("layout") },
  { folder: "src/compute/kernels", may: inCompute("layout", "lang") },
  { folder: "src/compute/compiler", may: inCompute("layout", "lang", "kernels", "memory") },
  { folder: "src/compute/device", may: inCompute("layout", "lang", "memory") },
  {
    folder: "src/compute/runtime",
    may: inCompute("layout", "lang", "kernels", "memory", "compiler", "device"),
  },
  {
    folder: "src/compute/tensor",
    may: inCompute("layout", "lang", "kernels", "memory", "compiler", "device", "runtime"),
  },
  { folder: "src/network", may: [BASE] },
  { folder: "src/storage", may: [BASE] },
  { folder: "src/model", may: [BASE, "src/compute"] },
  // Pure, and run by the server too. A link's names are part of its messages, the links themselves are not.
  { folder: "src/training/coordinator", may: [BASE, "src/network/wire"], mayTypes: ["src/network/transport"] },
  { folder: "src/training", may: [BASE, "src/compute", "src/network", "src/storage", "src/model"] },
  { folder: "src/host", may: [BASE, "src/compute", "src/network", "src/storage", "src/model", "src/training"] },
  // The public entries: files directly in `src`.
  { folder: "src", may: ["src"] },
  // The app serves the examples as its runs.
  { folder: "app", may: ["examples"], mayEntries: true },
  { folder: "examples", may: [], mayEntries: true },
  { folder: "signaling-server", may: [BASE, "src/network/wire", "src/training/coordinator"] },
  { folder: "bench", may: ["src", "app", "examples", "signaling-server", "tools", "test"], mayEntries: true },
  { folder: "tools", may: ["src", "app", "examples", "signaling-server", "bench", "test"], mayEntries: true },
  { folder: "test", may: ["src", "app", "examples", "signaling-server", "bench", "tools"], mayEntries: true },
];

/** Where a clock is read, a timer set, a random source or the network asked for. Everything else in `src` is given them. */
export const PLATFORM_FILES: readonly string[] = ["src/host/", "src/base/clock.ts"];

/** Files that people or programs start, besides what `package.json` and the pages name. */
export const ROOT_FILES: readonly RegExp[] = [
  /^test\/.*\.(test|browser)\.ts$/,
  /^tools\/[^/]+\.ts$/,
  /(^|\/)[a-z]+\.config\.ts$/,
  /^signaling-server\/main\.ts$/,
  // Put in vitest's place by `web-test-runner.config.mjs`.
  /^test\/browser\/vitest\.ts$/,
];

export function layerOf(file: string): Layer | undefined {
  const holding = LAYERS.filter(({ folder }) => file.startsWith(`${folder}/`));
  const layer = holding.sort((a, b) => b.folder.length - a.folder.length)[0];
  // `src` itself holds the entries alone: a new folder there needs a line above.
  return layer?.folder === "src" && file.split("/").length > 2 ? undefined : layer;
}
