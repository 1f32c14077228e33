/** One finger or the mouse drags, two fingers pinch, a press that goes nowhere is a tap: pointer events told apart. */

export interface PointerDragHandlers {
  /** Pixels since the last time. */
  onDrag(dx: number, dy: number): void;
  /** Pixels from the element's corner. */
  onTap?(x: number, y: number): void;
  /** Growth since the last time, around a point of the element. */
  onPinch?(factor: number, x: number, y: number): void;
}

/** A finger is never quite still. */
const TAP_PX_MAX = 6;

interface Press {
  x: number;
  y: number;
  /** How far it has come altogether. */
  path: number;
}

export class PointerDrag {
  readonly #handlers: PointerDragHandlers;
  readonly #presses = new Map<number, Press>();
  #pinch = 0;

  constructor(handlers: PointerDragHandlers) {
    this.#handlers = handlers;
  }

  /** To be called with all pointer events of an element: down, move, up and cancel. */
  handle(event: PointerEvent): void {
    const element = event.currentTarget as HTMLElement;
    switch (event.type) {
      case "pointerdown":
        if (event.button !== 0) return;
        element.setPointerCapture(event.pointerId);
        this.#presses.set(event.pointerId, { x: event.clientX, y: event.clientY, path: 0 });
        this.#pinch = 0;
        return;
      case "pointermove":
        return this.#move(event, element);
      case "pointerup":
      case "pointercancel":
        return this.#release(event, element);
    }
  }

  #move(event: PointerEvent, element: HTMLElement): void {
    const press = this.#presses.get(event.pointerId);
    if (press === undefined) return;
    const [dx, dy] = [event.clientX - press.x, event.clientY - press.y];
    press.x = event.clientX;
    press.y = event.clientY;
    press.path += Math.hypot(dx, dy);
    const fingers = this.#presses.size;
    // Each of two fingers moves the middle between them by half of its way.
    if (press.path > TAP_PX_MAX || fingers > 1) this.#handlers.onDrag(dx / fingers, dy / fingers);
    const [a, b] = this.#presses.values();
    if (a === undefined || b === undefined) return;
    const apart = Math.hypot(a.x - b.x, a.y - b.y);
    const corner = element.getBoundingClientRect();
    if (this.#pinch > 0 && apart > 0) {
      this.#handlers.onPinch?.(apart / this.#pinch, (a.x + b.x) / 2 - corner.left, (a.y + b.y) / 2 - corner.top);
    }
    this.#pinch = apart;
  }

  #release(event: PointerEvent, element: HTMLElement): void {
    const press = this.#presses.get(event.pointerId);
    this.#presses.delete(event.pointerId);
    this.#pinch = 0;
    if (press === undefined || event.type === "pointercancel" || press.path > TAP_PX_MAX) return;
    const corner = element.getBoundingClientRect();
    this.#handlers.onTap?.(event.clientX - corner.left, event.clientY - corner.top);
  }
}
