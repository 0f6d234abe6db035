// The element of a day,
//
//   <holter-desk src="/api/recordings/{id}" study="{study}" editable></holter-desk>
//
// opens the recording and puts the desk into itself, or says why it cannot.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { DayDesk } from "./desk.js";
import { DaySource, sentenceOf } from "./source.js";

export class HolterDesk extends HTMLElement {
  /** @type {DayDesk | null} */ desk = null;

  connectedCallback() {
    if (!this.desk) void this.#open();
  }

  async #open() {
    this.setAttribute("data-state", "loading");
    this.replaceChildren(h("p", { class: "ecg-message", role: "status" }, t("Loading the recording…")));
    try {
      const source = await DaySource.open(this.getAttribute("src") ?? "");
      this.desk = new DayDesk(this, source);
      const wanted_s = Number(new URLSearchParams(window.location.search).get("at"));
      await this.desk.open(Number.isFinite(wanted_s) ? wanted_s : 0);
      this.setAttribute("data-state", "ready");
    } catch (error) {
      this.setAttribute("data-state", "error");
      this.replaceChildren(
        h(
          "div",
          { class: "ecg-message" },
          h("strong", { role: "alert" }, sentenceOf(error)),
          h("button", { type: "button", class: "button primary", onclick: () => void this.#open() }, t("Try again")),
        ),
      );
    }
  }
}

if (!customElements.get("holter-desk")) customElements.define("holter-desk", HolterDesk);
