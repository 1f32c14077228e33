/** The namespace `data` of the entry `hearth`: datasets, the loader, file formats and tokenizers. */
export { ByteTokenizer } from "./model/data/byte-tokenizer.ts";
export { CharTokenizer } from "./model/data/char-tokenizer.ts";
export type { BatchDataset, Dataset, IterableDataset } from "./model/data/dataset/dataset.ts";
export { permutation } from "./model/data/dataset/permutation.ts";
export type { Order } from "./model/data/dataset/permutation.ts";
export { randomSplit } from "./model/data/dataset/random-split.ts";
export type { RandomSplitOptions } from "./model/data/dataset/random-split.ts";
export { ConcatDataset, MapDataset, Subset } from "./model/data/dataset/subset.ts";
export { TensorDataset } from "./model/data/dataset/tensor-dataset.ts";
export { CsvTable, readCsv } from "./model/data/files/csv.ts";
export type { ColumnType, CsvOptions } from "./model/data/files/csv.ts";
export { readIdx } from "./model/data/files/idx.ts";
export { imageToTensor } from "./model/data/files/image.ts";
export type { DecodeImage, DecodeOptions, ImageToTensorOptions, RgbaImage } from "./model/data/files/image.ts";
export { readNpy, writeNpy } from "./model/data/files/npy.ts";
export { readNpz } from "./model/data/files/npz.ts";
export { LineDataset, TokenWindows } from "./model/data/files/text-windows.ts";
export type { TokenWindow, TokenWindowsOptions } from "./model/data/files/text-windows.ts";
export type { HostTensor } from "./model/data/host-tensor.ts";
export { collate, int32 } from "./model/data/loader/collate.ts";
export type { Collated, NumberArray } from "./model/data/loader/collate.ts";
export { DataLoader } from "./model/data/loader/data-loader.ts";
export type { DataLoaderOptions, DataLoaderState } from "./model/data/loader/data-loader.ts";
export {
  BatchSampler,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "./model/data/loader/samplers.ts";
export type { IndexBatches, RandomSamplerOptions, Sampler } from "./model/data/loader/samplers.ts";
export { serveDataset } from "./model/data/loader/serve-dataset.ts";
export type { ServeDatasetOptions } from "./model/data/loader/serve-dataset.ts";
export { toTensors } from "./model/data/loader/to-tensors.ts";
export type { TensorsOf } from "./model/data/loader/to-tensors.ts";
export { openWorkerDataset } from "./model/data/loader/worker-dataset.ts";
export type { WorkerDataset, WorkerDatasetOptions } from "./model/data/loader/worker-dataset.ts";
export type { WorkerPort } from "./model/data/loader/worker-port.ts";
export { Tokenizer } from "./model/data/tokenizer/tokenizer.ts";
export type { DecodeTokensOptions, EncodeOptions } from "./model/data/tokenizer/tokenizer.ts";
export { trainBpe } from "./model/data/tokenizer/train-bpe.ts";
export type { TrainBpeOptions } from "./model/data/tokenizer/train-bpe.ts";
