/** Random keys for ops that draw on the device, such as dropout: state in a tensor, so that compiled functions advance it. */
import type { Random } from "../../base/random.ts";
import { tensor } from "./create.ts";
import { noGrad } from "./grad-mode.ts";
import { iotaTensor } from "./source.ts";
import type { Tensor } from "./tensor.ts";

export class Generator {
  /** [seed, draws so far] (uint32). */
  readonly state: Tensor;

  /** Starts at a place that `random` names. */
  constructor(random: Random) {
    this.state = tensor(Uint32Array.of(random.uint32(), 0));
  }

  /** Starts again, at a place that `seed` and `draws` name: the same keys follow every time. */
  reset(seed: number, draws = 0): void {
    this.state.write(Uint32Array.of(seed, draws));
  }

  /** A Philox key (uint32 [2]) that no other call gets. */
  nextKey(): Tensor {
    return noGrad(() => {
      const key = this.state.detach();
      this.state.assign(key.add(iotaTensor([2], 0).cast("uint32")));
      return key;
    });
  }
}
