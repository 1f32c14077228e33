/** What this page's browser and its person can give: battery, visibility, their own limits; and when that means to go. */
import type { Clock } from "../../base/clock.ts";
import { OptionError } from "../../base/errors.ts";
import type { Offer } from "../../network/wire/messages.ts";

/** A person's own limits. */
export interface OwnLimits {
  readonly memoryBudgetMiB: number | null;
  /** Of the device's time, more than 0 and at most 1. */
  readonly share: number;
  /** Until this tab leaves by itself; null for no end. */
  readonly minutes: number | null;
}

export interface OfferHooks {
  tell(offer: Offer): void;
  /** Hand over and go, for this reason. */
  leave(reason: string): void;
  /** Hand over, and come back with `resume`. False where its person paused it already. */
  pause(): boolean;
  resume(): void;
}

/** What of `navigator` and `document` is looked at. */
export interface OfferSources {
  readonly battery: Promise<BatteryLike | null>;
  readonly page: Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener">;
  /** Phones stop hidden tabs soon, and without a word. */
  readonly isPhone: boolean;
  readonly clock: Clock;
}

/** `BatteryManager`, which TypeScript does not know. */
export interface BatteryLike extends EventTarget {
  readonly level: number;
  readonly charging: boolean;
}

const BATTERY_MIN = 0.15;
/** People look something up and come back: only then is a phone's tab hidden for good. */
const HIDDEN_MS = 4_000;
const MINUTE_MS = 60_000;

export class OfferWatch {
  #limits: OwnLimits;
  readonly #hooks: OfferHooks;
  readonly #sources: OfferSources;
  #endMs: number | null = null;
  #battery: BatteryLike | null = null;
  #isHiddenPause = false;
  #isClosed = false;
  #cancelHidden: () => void = () => {};
  #cancelEnd: () => void = () => {};

  constructor(limits: OwnLimits, hooks: OfferHooks, sources: OfferSources) {
    const { page, battery } = sources;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#sources = sources;
    this.#setEnd(limits.minutes);
    page.addEventListener("visibilitychange", this.#onVisibility);
    this.#tell();
    void battery.then((found) => this.#watchBattery(found));
  }

  /** The person changed their mind: minutes count from now. */
  change(limits: Partial<OwnLimits>): void {
    if (this.#isClosed) return;
    this.#limits = { ...this.#limits, ...limits };
    if (limits.minutes !== undefined) this.#setEnd(limits.minutes);
    this.#tell();
  }

  #setEnd(minutes: number | null): void {
    const { clock } = this.#sources;
    this.#cancelEnd();
    this.#endMs = minutes === null ? null : clock.nowMs() + minutes * MINUTE_MS;
    if (minutes === null) return;
    this.#cancelEnd = clock.after(minutes * MINUTE_MS, () => this.#hooks.leave("the minutes it offered are over"));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelEnd();
    this.#cancelHidden();
    this.#sources.page.removeEventListener("visibilitychange", this.#onVisibility);
    for (const event of BATTERY_EVENTS) this.#battery?.removeEventListener(event, this.#onBattery);
  }

  #watchBattery(battery: BatteryLike | null): void {
    if (this.#isClosed || !battery) return;
    this.#battery = battery;
    for (const event of BATTERY_EVENTS) battery.addEventListener(event, this.#onBattery);
    this.#onBattery();
  }

  readonly #onBattery = (): void => {
    this.#tell();
    const { level = 1, charging = true } = this.#battery ?? {};
    if (!charging && level < BATTERY_MIN) {
      this.#hooks.leave(`its battery is at ${Math.round(level * 100)} % and not charging`);
    }
  };

  readonly #onVisibility = (): void => {
    this.#tell();
    this.#cancelHidden();
    if (!this.#sources.isPhone) return;
    if (!this.#isVisible) {
      this.#cancelHidden = this.#sources.clock.after(HIDDEN_MS, () => {
        this.#isHiddenPause = this.#hooks.pause();
      });
    } else if (this.#isHiddenPause) {
      this.#isHiddenPause = false;
      this.#hooks.resume();
    }
  };

  get #isVisible(): boolean {
    return this.#sources.page.visibilityState === "visible";
  }

  #tell(): void {
    const { memoryBudgetMiB, share } = this.#limits;
    const leftMs = this.#endMs === null ? null : Math.max(0, this.#endMs - this.#sources.clock.nowMs());
    this.#hooks.tell({
      isVisible: this.#isVisible,
      share,
      ...(memoryBudgetMiB === null ? {} : { memoryBudgetMiB }),
      ...(leftMs === null ? {} : { minutesLeft: leftMs / MINUTE_MS }),
      ...(this.#battery ? { battery: { level: this.#battery.level, charging: this.#battery.charging } } : {}),
    });
  }
}

const BATTERY_EVENTS = ["levelchange", "chargingchange"] as const;

/** @throws OptionError unless 0 < share <= 1 */
export function checkedShare(share: number): number {
  if (share > 0 && share <= 1) return share;
  throw new OptionError(`share: expected more than 0 and at most 1 of the device's time, found ${share}`);
}

/** The sources of the page at hand. Only some browsers tell of their battery, and some refuse. */
export function pageSources(clock: Clock): OfferSources {
  const { getBattery, userAgentData } = navigator as Navigator & {
    getBattery?: () => Promise<BatteryLike>;
    userAgentData?: { readonly mobile: boolean };
  };
  const battery = getBattery?.call(navigator).catch(() => null) ?? Promise.resolve(null);
  const isPhone = userAgentData?.mobile ?? matchMedia("(pointer: coarse)").matches;
  return { battery, page: document, isPhone, clock };
}
