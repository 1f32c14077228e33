import { expect, test } from "vitest";
import { checkedShare, OfferWatch, type BatteryLike, type OwnLimits } from "../../../src/host/browser/offer-watch.ts";
import type { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";
import type { Offer } from "../../../src/network/wire/messages.ts";
import { virtualClock } from "../../network/support/virtual.ts";

class Battery extends EventTarget implements BatteryLike {
  level = 0.9;
  charging = false;
  set(level: number, charging: boolean): void {
    [this.level, this.charging] = [level, charging];
    this.dispatchEvent(new Event("levelchange"));
  }
}

class Page extends EventTarget {
  visibilityState: DocumentVisibilityState = "visible";
  set(state: DocumentVisibilityState): void {
    this.visibilityState = state;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

interface Watched {
  readonly clock: VirtualClock;
  readonly page: Page;
  readonly battery: Battery;
  readonly offers: Offer[];
  readonly calls: string[];
  readonly watch: OfferWatch;
}

async function watched(limits: Partial<OwnLimits> = {}, isPhone = false, mayPause = true): Promise<Watched> {
  const [clock, page, battery] = [virtualClock(), new Page(), new Battery()];
  const offers: Offer[] = [];
  const calls: string[] = [];
  const hooks = {
    tell: (offer: Offer) => void offers.push(offer),
    leave: (reason: string) => void calls.push(reason),
    pause: () => mayPause && calls.push("pause") > 0,
    resume: () => void calls.push("resume"),
  };
  const sources = { battery: Promise.resolve(battery), page: page as unknown as Document, isPhone, clock };
  const watch = new OfferWatch({ memoryBudgetMiB: null, share: 1, minutes: null, ...limits }, hooks, sources);
  await Promise.resolve();
  return { clock, page, battery, offers, calls, watch };
}

test("the offer names what the browser and the person tell, and nothing else", async () => {
  const { offers } = await watched({ share: 0.5, minutes: 3, memoryBudgetMiB: 64 });
  expect(offers[0]).toEqual({ isVisible: true, share: 0.5, memoryBudgetMiB: 64, minutesLeft: 3 });
  expect(offers.at(-1)).toMatchObject({ battery: { level: 0.9, charging: false } });
});

test("a tab goes when its minutes are over, and when its battery is low and not charging", async () => {
  const { clock, battery, calls } = await watched({ minutes: 1 });
  battery.set(0.1, true);
  await clock.advance(59_999);
  expect(calls).toEqual([]);
  battery.set(0.14, false);
  expect(calls).toEqual(["its battery is at 14 % and not charging"]);
  await clock.advance(1);
  expect(calls.at(-1)).toBe("the minutes it offered are over");
});

test("a person changes their limits meanwhile: it is told, and minutes count from then", async () => {
  const { clock, calls, offers, watch } = await watched({ minutes: 1 });
  await clock.advance(30_000);
  watch.change({ share: 0.25, minutes: 2 });
  expect(offers.at(-1)).toMatchObject({ share: 0.25, minutesLeft: 2 });
  await clock.advance(119_999);
  expect(calls).toEqual([]);
  watch.change({ minutes: null });
  expect(offers.at(-1)?.minutesLeft).toBe(undefined);
  await clock.advance(600_000);
  expect(calls).toEqual([]);
  watch.close();
  watch.change({ minutes: 1 });
  await clock.advance(120_000);
  expect(calls).toEqual([]);
});

test("a phone's tab that stays hidden pauses and comes back; elsewhere a hidden tab trains on", async () => {
  const phone = await watched({}, true);
  phone.page.set("hidden");
  await phone.clock.advance(1_000);
  phone.page.set("visible");
  await phone.clock.advance(60_000);
  expect(phone.calls).toEqual([]);
  phone.page.set("hidden");
  await phone.clock.advance(5_000);
  phone.page.set("visible");
  expect(phone.calls).toEqual(["pause", "resume"]);
  const desk = await watched();
  desk.page.set("hidden");
  await desk.clock.advance(60_000);
  expect(desk.calls).toEqual([]);
  expect(desk.offers.at(-1)?.isVisible).toBe(false);
});

test("a tab that its person paused stays paused when the phone shows it again; a closed watch does nothing", async () => {
  const { clock, page, battery, calls, watch } = await watched({ minutes: 1 }, true, false);
  page.set("hidden");
  await clock.advance(5_000);
  page.set("visible");
  expect(calls).toEqual([]);
  watch.close();
  page.set("hidden");
  battery.set(0.01, false);
  await clock.advance(120_000);
  expect(calls).toEqual([]);
});

test("what is no share is refused", () => {
  for (const share of [0, -1, 1.1, Number.NaN]) expect(() => checkedShare(share)).toThrow(/share: expected/);
});
