/**
 * Finds races: an element that one invocation stores and another one loads or stores, with no barrier between.
 *
 * Lanes of a workgroup are told apart between two barriers, workgroups all along the dispatch: nothing orders those.
 */
import { InvariantError } from "../../base/errors.ts";

const NOBODY = -1;

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
    this.#period = new Int32Array(length).fill(NOBODY);
    this.#storer = new Int32Array(length);
    this.#loader = new Int32Array(length);
    this.#otherLoader = new Int32Array(length);
  }

  /** Enters a use; the user that it races with, or NOBODY. */
  note(index: number, user: number, period: number, isStore: boolean): number {
    if (this.#period[index] !== period) {
      this.#period[index] = period;
      this.#storer[index] = this.#loader[index] = this.#otherLoader[index] = NOBODY;
    }
    const storer = this.#storer[index] ?? NOBODY;
    if (storer !== NOBODY && storer !== user) return storer;
    const loader = this.#loader[index] ?? NOBODY;
    if (isStore) {
      const raced = loader === user ? (this.#otherLoader[index] ?? NOBODY) : loader;
      if (raced === NOBODY) this.#storer[index] = user;
      return raced;
    }
    if (loader === NOBODY) this.#loader[index] = user;
    else if (loader !== user) this.#otherLoader[index] = user;
    return NOBODY;
  }
}

type ArrayUse = "shared" | "readWrite" | "write";

/** The watched arrays of a kernel in one call, and the time between barriers. */
export class Races {
  readonly lanes: number;
  period = 0;
  workgroup = 0;

  /** `lanes` are those of each workgroup. */
  constructor(lanes: number) {
    this.lanes = lanes;
  }

  /** A workgroup begins. */
  begin(workgroup: number): void {
    this.workgroup = workgroup;
    this.period += 1;
  }

  /** All lanes have reached a barrier. */
  barrier(): void {
    this.period += 1;
  }

  /**
   * `elements`, watched. A shared array is another one in each workgroup; no barrier orders what goes into an array that
   * is only written.
   */
  watch(elements: Elements, words: string, use: ArrayUse): WatchedArray {
    return new WatchedArray(this, elements, words, use);
  }
}

/** An array that knows who uses it. */
class WatchedArray {
  readonly #races: Races;
  readonly #elements: Elements;
  readonly #words: string;
  readonly #use: ArrayUse;
  readonly #users: Users;
  readonly #workgroups: Users;

  constructor(races: Races, elements: Elements, words: string, use: ArrayUse) {
    this.#races = races;
    this.#elements = elements;
    this.#words = words;
    this.#use = use;
    this.#users = new Users(elements.length);
    this.#workgroups = new Users(use === "readWrite" ? elements.length : 0);
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

  #note(index: number, invocation: number, isStore: boolean): void {
    const { lanes, period, workgroup } = this.#races;
    if (this.#use === "write") {
      const other = this.#users.note(index, invocation, 0, isStore);
      if (other !== NOBODY) this.#refuse(index, "invocation", other, invocation, isStore);
      return;
    }
    const lane = invocation % lanes;
    const other = this.#users.note(index, lane, period, isStore);
    if (other !== NOBODY) this.#refuse(index, "lane", other, lane, isStore);
    if (this.#use === "shared") return;
    const elsewhere = this.#workgroups.note(index, workgroup, 0, isStore);
    if (elsewhere !== NOBODY) this.#refuse(index, "workgroup", elsewhere, workgroup, isStore);
  }

  #refuse(index: number, kind: string, first: number, second: number, isStore: boolean): never {
    const one = `${isStore ? "used" : "stored"} by ${kind} ${first}`;
    const other = `${isStore ? "stored" : "loaded"} by ${kind} ${second}`;
    throw new InvariantError(
      `workgroup ${this.#races.workgroup}: expected ${this.#words}[${index}] to be one ${kind}'s until a barrier, ` +
        `found it ${one} and ${other}`,
    );
  }
}
