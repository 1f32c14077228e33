/** Golden values from PyTorch, which live beside the repository and may be absent: their tests then say so and skip. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { present } from "../../src/base/assert.ts";
import type { HostValues } from "../../src/compute/tensor/host-values.ts";
import { parseFixtures } from "../../tools/conformance/fixtures.ts";
import type { Fixtures, ModelFixture, OpFixture, OptimizerFixture } from "../../tools/conformance/fixtures.ts";
import { missingFiles } from "../../tools/conformance/folder.ts";

const FOLDER = path.resolve(process.env["HEARTH_FIXTURES"] ?? "../shared/fixtures");

/** Null when the fixtures are there; else why tests are skipped. */
export const fixturesMissing: string | null =
  missingFiles(FOLDER).length === 0 ? null : `skipped: no fixtures in ${FOLDER}; set HEARTH_FIXTURES`;

export function opFixtures(): Fixtures<OpFixture> {
  return load("ops");
}

export function optimizerFixtures(): Fixtures<OptimizerFixture> {
  return load("optim");
}

export function modelFixtures(): Fixtures<ModelFixture> {
  return load("models");
}

function load<Case>(name: string): Fixtures<Case> {
  if (fixturesMissing !== null) return { cases: [], values: (tensor) => present<HostValues>(null, tensor) };
  const bytes = (extension: string) => new Uint8Array(readFileSync(path.join(FOLDER, `${name}.${extension}`)));
  return parseFixtures(name, bytes("json"), bytes("safetensors"));
}
