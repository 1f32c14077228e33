/**
 * Optional packages of other platforms in `package-lock.json`.
 *
 * npm drops them from the file when the registry it writes from does not have them (a mirror, say); later, `npm ci`
 * refuses the file because they are missing. Their names, versions and platforms follow from the package that wants
 * them, so they can be put back; a machine of that platform then fetches them like any other.
 */

export interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const SYSTEMS = /android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|aix/;
const PROCESSORS = /arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64/;

/** Optional packages that the file does not have: where they belong, and what to write there. */
export function missingOptional(lock: LockFile): [path: string, entry: LockedPackage][] {
  const found: [string, LockedPackage][] = [];
  for (const [path, wanting] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(wanting.optionalDependencies ?? {})) {
      const isThere = places(path, name).some((place) => place in lock.packages);
      // A range names no version: such a package must come from npm itself.
      if (isThere || !/^\d+\.\d+\.\d+/.test(version)) continue;
      found.push([`node_modules/${name}`, entryOf(name, version, wanting.dev === true)]);
    }
  }
  return found;
}

/** `lock` with what was missing, in npm's order. */
export function completeLock<Lock extends LockFile>(lock: Lock): Lock {
  const packages = { ...lock.packages, ...Object.fromEntries(missingOptional(lock)) };
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"));
  return { ...lock, packages: Object.fromEntries(sorted) };
}

/** Where Node looks for `name` from the package at `path`, nearest first. */
function places(path: string, name: string): string[] {
  const folders = path.split(/(?<=^|\/)node_modules\//).filter((folder) => folder !== "");
  const found: string[] = [];
  for (let depth = folders.length; depth >= 0; depth--) {
    const parent = folders.slice(0, depth).map((folder) => `node_modules/${folder.replace(/\/$/, "")}`);
    found.push([...parent, `node_modules/${name}`].join("/"));
  }
  return found;
}

function entryOf(name: string, version: string, isDev: boolean): LockedPackage {
  const platform = name.split("/").at(-1) ?? name;
  const [os] = SYSTEMS.exec(platform) ?? [];
  const [cpu] = PROCESSORS.exec(platform) ?? [];
  const libc =
    os !== "linux" ? undefined : platform.includes("musl") ? "musl" : platform.includes("gnu") ? "glibc" : undefined;
  return {
    version,
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(isDev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    optional: true,
    ...(os ? { os: [os] } : {}),
  };
}
