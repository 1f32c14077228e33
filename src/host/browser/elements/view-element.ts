/**
 * The bases of elements. What they show may change many times a second; an element renders the newest of it in an
 * animation frame, at most four times a second, and not at all while the tab is hidden.
 */
import { LitElement } from "lit";
import type { PropertyDeclarations } from "lit";
import type { RoomView } from "../room-view.ts";

/** Milliseconds between two renderings: numbers that change faster cannot be read. */
const BEAT_MS = 250;

/** Renders at the pace of people. */
export abstract class PacedElement extends LitElement {
  #renderedAtMs = Number.NEGATIVE_INFINITY;

  protected override async scheduleUpdate(): Promise<void> {
    if (this.hasUpdated) {
      const waitMs = this.#renderedAtMs + BEAT_MS - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    this.#renderedAtMs = performance.now();
    void super.scheduleUpdate();
  }
}

/** Renders `view`, at the pace of people. Extend it for an element of your own. */
export abstract class ViewElement extends PacedElement {
  static override properties: PropertyDeclarations = { view: { attribute: false } };

  /** The room to show; null before the first view has come. */
  declare view: RoomView | null;

  constructor() {
    super();
    this.view = null;
  }
}

/** Registers an element once, so that two copies of hearth on a page do not collide. */
export function defineElement(name: string, element: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, element);
}
