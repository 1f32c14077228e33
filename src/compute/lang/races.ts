/**
 * Finds races: an element that one invocation stores and another one loads or stores, with no barrier between.
 *
 * Lanes of a workgroup are told apart between two barriers, workgroups all along the dispatch: nothing orders those.
 */
import { assert } from "../../base/assert.ts";

/** An array's elements, as typed arrays have them. */
interface Elements {
  readonly length: number;
  [index: number]: number;
  fill(value: number): unknown;
}

/** Who used each element of an array in the current period. */
class Users {
  /** The period that an element's entries are of; older ones count for nothing. */
  readonly #period: Int32Array;
  readonly #storer: Int32Array;
  /** Two different ones, so that one of them is another than whoever comes next. */
  readonly #loader: Int32Array;
  readonly #otherLoader: Int32Array;

  constructor(length: number) {
    this.#period = new Int32Array(length).fill(-1);
    this.#storer = new Int32Array(length);
    this.#loader = new Int32Array(length);
    this.#otherLoader = new Int32Array(length);
  }

  /** Enters a use; the words for an earlier one that it races with, if there is any. */
  note(index: number, user: number, period: number, isStore: boolean): string | undefined {
    if (this.#period[index] !== period) {
      this.#period[index] = period;
      this.#storer[index] = this.#loader[index] = this.#otherLoader[index] = -1;
    }
    const isOther = (found: number | undefined): found is number => found !== undefined && found >= 0 && found !== user;
    const [storer, loader, otherLoader] = [this.#storer[index], this.#loader[index], this.#otherLoader[index]];
    if (isOther(storer)) return `stored by # ${storer}`;
    if (isStore) {
      const raced = [loader, otherLoader].find(isOther);
      if (raced !== undefined) return `loaded by # ${raced}`;
      this.#storer[index] = user;
    } else if (loader === -1) {
      this.#loader[index] = user;
    } else if (isOther(loader)) {
      this.#otherLoader[index] = user;
    }
    return undefined;
  }
}

/** The watched arrays of a kernel in one call, and the time between barriers. */
export class Races {
  readonly #lanes: number;
  #period = 0;
  #workgroup = 0;

  /** `lanes` are those of each workgroup. */
  constructor(lanes: number) {
    this.#lanes = lanes;
  }

  /** A workgroup begins. */
  begin(workgroup: number): void {
    this.#workgroup = workgroup;
    this.#period += 1;
  }

  /** All lanes have reached a barrier. */
  barrier(): void {
    this.#period += 1;
  }

  /**
   * `elements`, watched. A shared array is another one in each workgroup; no barrier orders what goes into an array that
   * is only written.
   */
  watch(elements: Elements, words: string, use: "shared" | "readWrite" | "write"): WatchedArray {
    const users = new Users(elements.length);
    const workgroups = new Users(elements.length);
    return new WatchedArray(elements, (index, invocation, isStore) => {
      const check = (race: string | undefined, kind: string, user: number): void =>
        this.#check(race, kind, user, `${words}[${index}]`, isStore);
      if (use === "write") return check(users.note(index, invocation, 0, isStore), "invocation", invocation);
      const lane = invocation % this.#lanes;
      check(users.note(index, lane, this.#period, isStore), "lane", lane);
      if (use === "shared") return;
      check(workgroups.note(index, this.#workgroup, 0, isStore), "workgroup", this.#workgroup);
    });
  }

  #check(race: string | undefined, kind: string, user: number, element: string, isStore: boolean): void {
    assert(
      race === undefined,
      `workgroup ${this.#workgroup}: expected ${element} to be one ${kind}'s until a barrier, ` +
        `found it ${race?.replace("#", kind)} and ${isStore ? "stored" : "loaded"} by ${kind} ${user}`,
    );
  }
}

/** An array that tells who uses it. */
class WatchedArray {
  readonly #elements: Elements;
  readonly #note: (index: number, invocation: number, isStore: boolean) => void;

  constructor(elements: Elements, note: (index: number, invocation: number, isStore: boolean) => void) {
    this.#elements = elements;
    this.#note = note;
  }

  load(index: number, invocation: number): number {
    this.#note(index, invocation, false);
    return this.#elements[index] ?? 0;
  }

  store(index: number, value: number, invocation: number): void {
    this.#note(index, invocation, true);
    this.#elements[index] = value;
  }

  fill(value: number): void {
    this.#elements.fill(value);
  }
}
