/** Texts as datasets: windows over tokens to predict the next one, and lines. */
import { OptionError } from "../../../base/errors.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { checkIndex } from "../dataset/subset.ts";
import type { HostTensor } from "../host-tensor.ts";

/** Options of `TokenWindows`. */
export interface TokenWindowsOptions {
  /** Tokens in a window. */
  readonly length: number;
  /** Tokens between the beginnings of windows; `length` by default, so that no two share a token of x. */
  readonly stride?: number;
}

/** A window of tokens, and the same window one token later. Both int32 [length]. */
export interface TokenWindow {
  readonly x: HostTensor;
  readonly y: HostTensor;
}

/** All full windows over `tokens`, of any tokenizer's `encode`. */
export class TokenWindows implements Dataset<TokenWindow> {
  readonly length: number;
  readonly #tokens: Int32Array<ArrayBuffer>;
  readonly #size: number;
  readonly #stride: number;

  /** @throws OptionError for fewer tokens than one window and the token after it */
  constructor(tokens: Int32Array<ArrayBuffer>, { length, stride = length }: TokenWindowsOptions) {
    if (![length, stride].every((value) => Number.isInteger(value) && value >= 1)) {
      throw new OptionError(
        `TokenWindows: expected length and stride of at least 1, found length ${length} and stride ${stride}`,
      );
    }
    if (tokens.length < length + 1) {
      throw new OptionError(`TokenWindows: expected at least ${length + 1} tokens, found ${tokens.length}`);
    }
    this.#tokens = tokens;
    this.#size = length;
    this.#stride = stride;
    this.length = Math.floor((tokens.length - 1 - length) / stride) + 1;
  }

  /** Shares the tokens' memory. @throws OptionError */
  get(index: number): TokenWindow {
    checkIndex("TokenWindows", index, this.length);
    const from = index * this.#stride;
    const window = (start: number): HostTensor => {
      return { shape: [this.#size], data: this.#tokens.subarray(start, start + this.#size), dtype: "int32" };
    };
    return { x: window(from), y: window(from + 1) };
  }
}

/** The lines of `text` that are not empty, without line ends (\n, \r\n or \r). */
export class LineDataset implements Dataset<string> {
  readonly lines: readonly string[];

  constructor(text: string) {
    this.lines = text.split(/\r\n|\n|\r/).filter((line) => line !== "");
  }

  get length(): number {
    return this.lines.length;
  }

  /** @throws OptionError */
  get(index: number): string {
    checkIndex("LineDataset", index, this.length);
    return this.lines[index] ?? "";
  }
}
