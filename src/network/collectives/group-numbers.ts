/** Numbers for groups that share an epoch. Two groups with a member in common never get the same. */
import { OptionError } from "../../base/errors.ts";
import { compareFences } from "../wire/frame.ts";
import type { Fence } from "../wire/frame.ts";

const NUMBER_MAX = 0xffff;
const EPOCHS_MAX = 32;

interface Counter {
  readonly fence: Fence;
  next: number;
}

/** What one peer has used: its groups' numbers only grow within an epoch. */
export class GroupNumbers {
  /** The newest epochs, oldest first. */
  #counters: Counter[] = [];

  /** The lowest number that is free here, in the epoch of `fence`. */
  next(fence: Fence): number {
    return this.#counterOf(fence).next;
  }

  /** A group of that epoch has this number. @throws OptionError when there are none left */
  use(fence: Fence, number: number): void {
    if (number > NUMBER_MAX)
      throw new OptionError(`split: expected at most ${NUMBER_MAX} groups in an epoch, found more`);
    const counter = this.#counterOf(fence);
    counter.next = Math.max(counter.next, number + 1);
  }

  #counterOf(fence: Fence): Counter {
    const known = this.#counters.find((counter) => compareFences(counter.fence, fence) === 0);
    if (known !== undefined) return known;
    const counter = { fence, next: 1 };
    this.#counters = [...this.#counters, counter].slice(-EPOCHS_MAX);
    return counter;
  }
}
