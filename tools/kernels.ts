/**
 * `npm run kernels [-- FILE ...]`: the tests that compute, with every kernel that they generate held against the
 * interpreter, on WebGPU in Node and on WebAssembly. Exit 0 only if all agree.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageProgram, runCommand } from "./house/command.ts";

/** Where tests make kernels. */
const TESTS = ["test/compute", "test/model", "test/mutations", "test/docs"];

const folder = mkdtempSync(join(tmpdir(), "hearth-kernels-"));
const file = join(folder, "fates");
try {
  const tests = process.argv.slice(2);
  const { code } = await runCommand(
    packageProgram("vitest"),
    ["run", "--testTimeout", "600000", "--hookTimeout", "600000", ...(tests.length > 0 ? tests : TESTS)],
    { isShown: true, environment: { HEARTH_CHECK_KERNELS: file } },
  );
  const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  const [checked = 0, large = 0, subgroups = 0] = ["checked", "large", "subgroups"].map(
    (fate) => lines.filter((line) => line === fate).length,
  );
  console.log(
    `${checked} kernels equal the interpreter's answer; left out: ${subgroups} with subgroups of unknown size, ` +
      `${large} that would take it too long`,
  );
  process.exitCode = code === 0 && checked > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
