/** Installing what tests need where that can be done without asking: as root on Debian and its kin. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";

const UNATTENDED = { DEBIAN_FRONTEND: "noninteractive" };
let isUpdated = false;

export function canInstall(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
}

/** Installs packages, from `suite` where one is named. False when apt-get says no. */
export async function install(packages: readonly string[], suite?: string): Promise<boolean> {
  console.log(`Installing ${packages.join(", ")}.`);
  const from = suite === undefined ? [] : ["-t", suite];
  if (!isUpdated && !(await apt(["update"]))) return false;
  isUpdated = true;
  return apt(["install", "-y", "--no-install-recommends", ...from, ...packages]);
}

/** The installed version, or null. */
export async function versionOf(name: string): Promise<string | null> {
  const { code, output } = await runCommand("dpkg-query", ["-W", "-f", "${Version}", name], { isShown: false });
  return code === 0 && output !== "" ? output : null;
}

/** "bookworm", "trixie"; empty elsewhere. */
export function codename(): string {
  try {
    return /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Makes `suite` known to apt, from the mirror that it uses already. */
export function addSuite(suite: string, sources = "/etc/apt"): void {
  const lists = readdirSync(join(sources, "sources.list.d")).map((name) => join("sources.list.d", name));
  const texts = ["sources.list", ...lists].map((name) => {
    const path = join(sources, name);
    return existsSync(path) ? withoutComments(readFileSync(path, "utf8")) : "";
  });
  if (texts.some((text) => text.includes(suite))) return;
  const mirror = texts.map((text) => /https?:\/\/\S+\/debian\/?(?=\s)/.exec(text)?.[0]).find(Boolean);
  const line = `deb ${mirror ?? "http://deb.debian.org/debian"} ${suite} main\n`;
  writeFileSync(join(sources, "sources.list.d", `${suite}.list`), line);
  isUpdated = false;
}

function withoutComments(text: string): string {
  return text.replace(/^\s*#.*$/gm, "");
}

async function apt(parameters: readonly string[]): Promise<boolean> {
  // Mirrors fail for moments; apt tries again by itself.
  const options = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120", "-q"];
  const { code, output } = await runCommand("apt-get", [...options, ...parameters], {
    isShown: false,
    environment: UNATTENDED,
  });
  if (code !== 0) console.log(output.trim().split("\n").slice(-5).join("\n"));
  return code === 0;
}
