/** What the tests need besides Node: a browser, and a Vulkan driver for WebGPU in Node. Found, installed, or named. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { UnsupportedError } from "../../src/base/errors.ts";
import { runCommand } from "./command.ts";
import { findChromium } from "../swarm/chromium.ts";
import { addSuite, canInstall, codename, install, versionOf } from "./debian.ts";

/** The first Mesa whose lavapipe Dawn accepts. */
const MESA_MAJOR_MIN = 25;
const LAVAPIPE = ["lvp_icd.json", `lvp_icd.${process.arch === "arm64" ? "aarch64" : "x86_64"}.json`].map((name) =>
  join("/usr/share/vulkan/icd.d", name),
);

/** Variables that the tests must be run with. */
export type Environment = Readonly<Record<string, string>>;

/** A browser with WebGPU. @throws UnsupportedError that says in one line what is missing */
export async function needChromium(): Promise<{ path: string; environment: Environment }> {
  const told = process.env["CHROME_PATH"];
  // Fonts come with it: runs draw text, and a browser without any draws boxes.
  if (!findChromium() && !told && canInstall()) await install(["chromium", "fonts-liberation", "fonts-dejavu-core"]);
  const path = findChromium();
  if (!path && told) throw new UnsupportedError(`Missing: ${told}, which CHROME_PATH names.`);
  if (!path) throw new UnsupportedError("Missing: Chromium or Chrome. Install one, or name it in CHROME_PATH.");
  return { path, environment: { CHROME_PATH: path } };
}

/** A Vulkan driver that Dawn accepts: the one named, Mesa's, or the one beside Chromium. @throws UnsupportedError */
export async function needVulkan(chromium: string): Promise<Environment> {
  if (process.platform !== "linux" || process.env["VK_ICD_FILENAMES"] || process.env["VK_DRIVER_FILES"]) return {};
  if (!(await hasLavapipe()) && canInstall()) await installMesa();
  if (await hasLavapipe()) return {};
  const bundled = [dirname(chromium), "/usr/lib/chromium"].map((folder) => join(folder, "vk_swiftshader_icd.json"));
  const driver = bundled.find((path) => existsSync(path));
  if (driver) return { VK_ICD_FILENAMES: driver };
  throw new UnsupportedError(
    `Missing: a Vulkan driver. Install Mesa ${MESA_MAJOR_MIN} or later, or name a driver in VK_ICD_FILENAMES.`,
  );
}

/** For the logs in JetStream; tests that need it are skipped where it cannot be had. */
export async function wantNats(): Promise<void> {
  const has = async (): Promise<boolean> =>
    (await runCommand("nats-server", ["--version"], { isShown: false })).code === 0;
  if (!(await has()) && canInstall()) await install(["nats-server"]);
  if (!(await has()))
    console.log("Tests with a nats-server are skipped: this machine has none, and none was installed.");
}

async function hasLavapipe(): Promise<boolean> {
  if (!LAVAPIPE.some((path) => existsSync(path))) return false;
  const version = await versionOf("mesa-vulkan-drivers");
  // Not a Debian: nothing says how old it is.
  return version === null || Number.parseInt(version.replace(/^\d+:/, ""), 10) >= MESA_MAJOR_MIN;
}

async function installMesa(): Promise<void> {
  const backports = "bookworm-backports";
  if (codename() !== "bookworm") {
    await install(["mesa-vulkan-drivers"]);
    return;
  }
  addSuite(backports);
  await install(["mesa-vulkan-drivers"], backports);
}
