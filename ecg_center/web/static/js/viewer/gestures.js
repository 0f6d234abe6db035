// What do a mouse and fingers do on the paper? A mouse drags callipers; one finger scrolls (the browser's own way, with
// its momentum) unless callipers are on; two fingers enlarge; a double click or double tap shows one lead large.

import { calliper } from "./tools.js";

/** @typedef {import("./viewer.js").EcgViewer} EcgViewer */

const DRAG_PX = 4; // less is a click with an unsteady hand
const EDGE_PX = 7;
const DOUBLE_TAP_MS = 320;

export class Gestures {
  /** @type {EcgViewer} */ #viewer;
  /** @type {HTMLElement} */ #stage;
  /** @type {{lane: import("./projection.js").Lane, time_s: number, uv: number, x: number, y: number, began: boolean} | null} */
  #drag = null;
  #pinch = { distance: 0, zoom: 1 };
  #tap = { at_ms: 0, x: 0, y: 0 };

  /** @param {EcgViewer} viewer @param {HTMLElement} stage */
  constructor(viewer, stage) {
    this.#viewer = viewer;
    this.#stage = stage;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", () => (this.#drag = null));
    stage.addEventListener("dblclick", (event) => this.#large(event));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("touchstart", (event) => this.#touch(event, true), { passive: false });
    stage.addEventListener("touchmove", (event) => this.#touch(event, false), { passive: false });
  }

  /** @param {{clientX: number, clientY: number}} event */
  #place(event) {
    const box = this.#stage.getBoundingClientRect();
    return { x: event.clientX - box.left - this.#stage.clientLeft, y: event.clientY - box.top - this.#stage.clientTop };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || (event.pointerType === "touch" && !this.#viewer.callipersOn)) return;
    const { x, y } = this.#place(event);
    if (x > this.#stage.clientWidth || y > this.#stage.clientHeight) return; // on a scroll bar
    const point = this.#viewer.at(x, y);
    if (!point) return;
    this.#drag = { ...point, x, y, began: false, ...this.#grabbed(x, point.lane) };
    this.#stage.setPointerCapture(event.pointerId);
  }

  /**
   * Near an edge of the calliper on this lane: the other edge stays where it is.
   * @param {number} x @param {import("./projection.js").Lane} lane
   */
  #grabbed(x, lane) {
    const set = this.#viewer.calliper;
    if (!set || set.lane !== lane) return {};
    const here = this.#viewer.at(x, 0, lane)?.time_s ?? 0;
    const reach_s = EDGE_PX / this.#viewer.pxPerMm / this.#viewer.speed;
    if (Math.abs(here - set.to_s) < reach_s) return { time_s: set.from_s, uv: set.from_uv };
    if (Math.abs(here - set.from_s) < reach_s) return { time_s: set.to_s, uv: set.to_uv };
    return {};
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    if (!drag) return;
    const { x, y } = this.#place(event);
    if (!drag.began && Math.hypot(x - drag.x, y - drag.y) < DRAG_PX) return;
    drag.began = true;
    const point = this.#viewer.at(x, y, drag.lane);
    if (point) this.#viewer.setCalliper(calliper(drag.lane, drag.time_s, point.time_s, drag.uv, point.uv));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const began = this.#drag?.began ?? false;
    this.#drag = null;
    if (began) {
      this.#viewer.setCalliper(this.#viewer.calliper, true);
      return;
    }
    if (event.pointerType !== "touch") {
      if (!this.#viewer.callipersOn && this.#viewer.calliper) this.#viewer.setCalliper(null);
      return;
    }
    const { x, y } = this.#place(event);
    const is_double =
      event.timeStamp - this.#tap.at_ms < DOUBLE_TAP_MS && Math.hypot(x - this.#tap.x, y - this.#tap.y) < 30;
    this.#tap = { at_ms: is_double ? 0 : event.timeStamp, x, y };
    if (is_double) this.#large(event);
  }

  /** @param {MouseEvent} event */
  #large(event) {
    if ("pointerType" in event && event.pointerType === "touch" && event.type === "dblclick") return; // the tap came first
    const { x, y } = this.#place(event);
    if (this.#viewer.isSingle) {
      this.#viewer.closeSingle();
      return;
    }
    const point = this.#viewer.at(x, y);
    if (point) this.#viewer.openSingle(point.lane.name, point.time_s);
  }

  /** Ctrl + wheel, which is also what a touch pad's pinch sends. @param {WheelEvent} event */
  #wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const { x, y } = this.#place(event);
    this.#viewer.setZoom(this.#viewer.zoom * Math.exp(-event.deltaY / 300), x, y);
  }

  /** @param {TouchEvent} event @param {boolean} starts */
  #touch(event, starts) {
    if (event.touches.length !== 2) {
      if (this.#viewer.callipersOn && event.touches.length === 1 && !starts) event.preventDefault();
      return;
    }
    event.preventDefault();
    this.#drag = null;
    const [a, b] = [event.touches[0], event.touches[1]];
    const distance = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (starts) {
      this.#pinch = { distance, zoom: this.#viewer.zoom };
      return;
    }
    const middle = this.#place({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    this.#viewer.setZoom((this.#pinch.zoom * distance) / Math.max(1, this.#pinch.distance), middle.x, middle.y);
  }
}
