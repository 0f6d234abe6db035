// Which ten seconds does the report print? The usual ones, until the physician takes one out or puts one in: then just
// these. `<strip-list>` stands in the report's form; B on the desk of the day puts the strip that is seen into it.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { toast } from "../toasts.js";
import { nameOf } from "./kinds.js";
import { Clock } from "./time.js";

/** @typedef {{start_s: number, event: import("./kinds.js").HolterEvent | null, text: string}} ReportStrip contract/holter.py */

const MOST = 24; // reporting/schemas.py
const NEAR_S = 3;

export class StripList extends HTMLElement {
  /** @type {ReportStrip[]} */ #strips = [];
  #chosen = false;
  #clock = new Clock(null);
  #list = h("ol", { class: "strip-list" });

  connectedCallback() {
    const { strips, chosen, started_at } = JSON.parse(this.querySelector("script")?.textContent ?? "{}");
    this.#strips = strips ?? [];
    this.#chosen = chosen ?? false;
    this.#clock = new Clock(started_at);
    this.append(this.#list);
    this.#show();
  }

  /** What the report keeps: null for the usual strips. @returns {ReportStrip[] | null} */
  get strips() {
    return this.#chosen ? this.#strips : null;
  }

  /** Put a strip in. @param {number} start_s @param {import("./kinds.js").HolterEvent | null} event */
  add(start_s, event) {
    if (this.#strips.some((strip) => Math.abs(strip.start_s - start_s) < NEAR_S)) {
      return toast(t("This strip is in the report already."), "info");
    }
    if (this.#strips.length >= MOST) return toast(t("The report holds no more strips; take one out first."), "warn");
    this.#strips = [...this.#strips, { start_s, event, text: "" }].sort((a, b) => a.start_s - b.start_s);
    this.#change();
    toast(t("The strip of %(time)s is printed in the report.", { time: this.#clock.at(start_s) }), "ok");
  }

  /** @param {ReportStrip} strip */
  #remove(strip) {
    this.#strips = this.#strips.filter((other) => other !== strip);
    this.#change();
  }

  #change() {
    this.#chosen = true;
    this.#show();
    this.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #show() {
    this.#list.replaceChildren(
      ...this.#strips.map((strip) => {
        const name = strip.text || (strip.event ? nameOf(strip.event.kind) : t("chosen"));
        const until_s = strip.event ? strip.event.end_s : strip.start_s;
        return h(
          "li",
          {},
          h("button", { type: "button", class: "evidence", "data-jump": strip.event?.start_s ?? strip.start_s, "data-until": until_s }, `${this.#clock.at(strip.start_s)} ${name}`),
          h("button", { type: "button", class: "button small ghost", "aria-label": t("Take out of the report"), title: t("Take out of the report"), onclick: () => this.#remove(strip) }, "×"),
        );
      }),
    );
    if (!this.#strips.length) this.#list.append(h("li", { class: "quiet" }, t("No strip is printed.")));
  }
}

if (!customElements.get("strip-list")) customElements.define("strip-list", StripList);
