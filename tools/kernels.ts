/**
 * `npm run kernels [-- FILE ...]`: the tests that compute, with every kernel that they generate held against the
 * interpreter, on WebGPU in Node and on WebAssembly. Exit 0 only if all agree.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FATES_FILE } from "../test/compute/device/checking-device.ts";
import { describeFates, summarizeFates, type KernelFate } from "../test/compute/device/kernel-fates.ts";
import { packageProgram, runCommand } from "./house/command.ts";

/** Where tests make kernels. */
const TESTS = ["test/compute", "test/model", "test/mutations", "test/docs"];
/** Looks whether something was computed by the next turn of the event loop, which it is not while its kernels are checked. */
const HASTY = "test/compute/tensor/memory.test.ts";

const folder = mkdtempSync(join(tmpdir(), "hearth-kernels-"));
try {
  const tests = process.argv.slice(2);
  const { code } = await runCommand(
    packageProgram("vitest"),
    [
      "run",
      "--testTimeout",
      "600000",
      "--hookTimeout",
      "600000",
      "--exclude",
      HASTY,
      ...(tests.length > 0 ? tests : TESTS),
    ],
    { isShown: true, environment: { HEARTH_CHECK_KERNELS: folder } },
  );
  const file = join(folder, FATES_FILE);
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const summaries = summarizeFates(lines.map((line) => JSON.parse(line) as KernelFate));
  for (const summary of summaries) console.log(describeFates(summary));
  if (summaries.length === 0) console.log("kernels: expected tests that make some, found none");
  process.exitCode = code === 0 && summaries.some(({ kernels }) => kernels > 0) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
