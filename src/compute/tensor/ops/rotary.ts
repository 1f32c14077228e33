/** Places as rotations (Su et al., "RoFormer", 2021), as waves, and as slopes. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import { formatShape } from "../../layout/shape.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { hostTensor } from "../host-tensor.ts";
import { cat, stack } from "./cat.ts";

/** Which elements are turned together. */
export interface RotaryForm {
  /** Pairs are neighbours, (0, 1), (2, 3), ...; otherwise, as most models have it, (0, n / 2), (1, n / 2 + 1), ... */
  readonly interleaved?: boolean;
}

/**
 * Rotates each pair (a, b) of the last axis by an angle: (a cos - b sin, b cos + a sin). x [.., T, D] with cos and sin
 * that broadcast to [.., T, n / 2]; what is beyond the first n of the D elements stays. @throws ShapeError
 */
export function applyRotary(x: Tensor, cos: Tensor, sin: Tensor, { interleaved = false }: RotaryForm = {}): Tensor {
  const depth = x.shape.at(-1) ?? 0;
  const half = cos.shape.at(-1) ?? Number.NaN;
  if (half !== sin.shape.at(-1) || !(2 * half <= depth)) {
    throw new ShapeError(
      `applyRotary: expected x [.., D] with cos and sin of at most D / 2 angles, found ${[x, cos, sin].map(({ shape }) => formatShape(shape)).join(", ")}`,
    );
  }
  const turned = x.narrow(-1, 0, 2 * half);
  const rest = x.narrow(-1, 2 * half, depth - 2 * half);
  const lead = x.shape.slice(0, -1);
  const [a, b] = interleaved
    ? [turned.reshape([...lead, half, 2]).select(-1, 0), turned.reshape([...lead, half, 2]).select(-1, 1)]
    : [turned.narrow(-1, 0, half), turned.narrow(-1, half, half)];
  const parts = [a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))];
  const out = interleaved
    ? stack(parts, -1).reshape([...(parts[0]?.shape.slice(0, -1) ?? []), 2 * half])
    : cat(parts, -1);
  return depth === 2 * half ? out : cat([out, rest.expand([...out.shape.slice(0, -1), -1])], -1);
}

/** Options of `rotaryEmbedding`. */
export interface RotaryOptions extends RotaryForm {
  /** The slowest pair turns about once in 2 pi times it: 10000 by default. */
  readonly base?: number;
  /** The place of the first element of T: 0 by default. */
  readonly offset?: number;
  /** The places themselves, instead of counting from `offset`: broadcasts to [.., T]. */
  readonly positions?: Tensor | null;
  /** How many of the D elements are turned, an even number: all by default. */
  readonly dimensions?: number;
}

/**
 * Rotary position embedding of queries or keys: x [.., T, D], where pair i of place t turns by t base^(-2i / D).
 * @throws ShapeError, OptionError
 */
export function rotaryEmbedding(x: Tensor, options: RotaryOptions = {}): Tensor {
  const {
    base = 10_000,
    offset = 0,
    positions = null,
    dimensions = x.shape.at(-1) ?? 0,
    interleaved = false,
  } = options;
  if (x.shape.length < 2) {
    throw new ShapeError(`rotaryEmbedding: expected x [.., T, D], found ${formatShape(x.shape)}`);
  }
  if (!Number.isInteger(dimensions / 2) || dimensions < 0 || dimensions > (x.shape.at(-1) ?? 0)) {
    throw new OptionError(
      `rotaryEmbedding: expected an even number of dimensions up to ${x.shape.at(-1) ?? 0}, found ${dimensions}`,
    );
  }
  const places = positions ?? iotaTensor([x.shape.at(-2) ?? 0], 0).add(offset);
  const angles = anglesOf("rotaryEmbedding", places, dimensions, base);
  const dtype = isFloat(x.dtype) ? x.dtype : "float32";
  return applyRotary(x, angles.cos().cast(dtype), angles.sin().cast(dtype), { interleaved });
}

/** places [..] -> [.., width / 2]: place * base^(-2i / width). */
function anglesOf(operation: string, places: Tensor, width: number, base: number): Tensor {
  if (!(base > 0)) throw new OptionError(`${operation}: expected a base above 0, found ${base}`);
  const half = Math.ceil(width / 2);
  const slowing = iotaTensor([half], 0)
    .cast("float32")
    .mul((-2 * Math.log(base)) / Math.max(1, width));
  return places.cast("float32").unsqueeze(-1).mul(slowing.exp());
}

/** Options of `sinusoidalPositions`. */
export interface SinusoidalOptions {
  /** 10000 by default. */
  readonly base?: number;
  /** The first place: 0 by default. */
  readonly offset?: number;
}

/**
 * Waves for places (Vaswani et al., "Attention Is All You Need", 2017, section 3.5): [length, width], sin and cos of
 * place * base^(-2i / width) in turn. @throws OptionError
 */
export function sinusoidalPositions(
  length: number,
  width: number,
  { base = 10_000, offset = 0 }: SinusoidalOptions = {},
): Tensor {
  for (const size of [length, width]) {
    if (!Number.isInteger(size) || size < 0) {
      throw new OptionError(`sinusoidalPositions: expected sizes from 0, found ${length} and ${width}`);
    }
  }
  const angles = anglesOf("sinusoidalPositions", iotaTensor([length], 0).add(offset), width, base);
  const half = Math.ceil(width / 2);
  return stack([angles.sin(), angles.cos()], -1)
    .reshape([length, 2 * half])
    .narrow(1, 0, width);
}

/**
 * How fast each head forgets (Press et al., "Train Short, Test Long", 2022): [heads], 2^(-8 i / n) for i from 1 to n, the
 * largest power of two up to `heads`, then every second one of those for 2 n. As a bias of attention:
 * `alibiSlopes(H).reshape([H, 1, 1]).mul(arange(S).sub(arange(T).unsqueeze(1)).abs().neg())`. @throws OptionError
 */
export function alibiSlopes(heads: number): Tensor {
  if (!Number.isInteger(heads) || heads < 1) {
    throw new OptionError(`alibiSlopes: expected at least one head, found ${heads}`);
  }
  const power = 2 ** Math.floor(Math.log2(heads));
  const slope = (i: number): number =>
    i < power ? 2 ** ((-8 * (i + 1)) / power) : 2 ** ((-4 * (2 * (i - power) + 1)) / power);
  return hostTensor(Float32Array.from({ length: heads }, (_, i) => slope(i)));
}
