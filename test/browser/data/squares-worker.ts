/** A worker with a dataset of squares, which fails at 3. */
import { CorruptDataError } from "../../../src/base/errors.ts";
import { workerScopePort } from "../../../src/host/browser/worker-ports.ts";
import { serveDataset } from "../../../src/model/data/loader/serve-dataset.ts";

serveDataset(workerScopePort(), (length: number) => ({
  length,
  get(index: number): Float32Array {
    if (index === 3) throw new CorruptDataError("torn");
    return Float32Array.of(index * index);
  },
}));
