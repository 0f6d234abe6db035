// What did physicians change, and who? The list with an undo on each; and the machine's own result, to be seen again.

import { h } from "../dom.js";
import { t } from "../texts.js";
import { editWords } from "./editing.js";

export class Changes {
  element = h("div", { class: "day-changes" });
  #clock;
  #on;

  /** @param {import("./time.js").Clock} clock @param {{undone: (position: number) => void, machine: (on: boolean) => void}} on */
  constructor(clock, on) {
    this.#clock = clock;
    this.#on = on;
  }

  /** @param {import("./editing.js").EditMade[]} made @param {boolean} machine @param {boolean} editable */
  set(made, machine, editable) {
    const list = [...made].reverse().map((one) =>
      h(
        "li",
        { class: one.holds ? "" : "undone" },
        h("span", { class: "quiet small" }, String(one.position + 1)),
        h("span", {}, editWords(one.edit, this.#clock), one.why ? h("span", { class: "quiet small" }, ` ${one.why}`) : ""),
        h("span", { class: "quiet small" }, one.person_name),
        editable && one.holds
          ? h("button", { type: "button", class: "button small ghost", onclick: () => this.#on.undone(one.position) }, t("Undo"))
          : h("span", { class: "quiet small" }, one.holds ? "" : t("undone")),
      ),
    );
    this.element.replaceChildren(
      h(
        "p",
        { class: "actions" },
        h("button", { type: "button", class: "button small", "aria-pressed": String(machine), onclick: () => this.#on.machine(!machine) }, machine ? t("Back to the result with changes") : t("See the machine's own result")),
        h("span", { class: "quiet small" }, t("Nothing is overwritten: the machine's result stays, and each change is kept with its name and time.")),
      ),
      made.length ? h("ol", { class: "changes", reversed: true }, ...list) : h("p", { class: "quiet" }, t("Nothing has been changed yet.")),
    );
  }
}
