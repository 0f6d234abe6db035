// How does a physician write a diagnosis without leaving the keyboard? Type a code, pinyin initials, Chinese or
// English; Enter takes the first, arrows choose another, Backspace in the empty field takes the last one back.
//
// ArrowUp in the empty field goes to the chosen ones; there the arrows move and Delete takes one out.
//
//   <statement-picker name="code"><script type="application/json">[{"code": …, "text": …}]</script></statement-picker>

import { ask, Refusal } from "./ask.js";
import { h } from "./dom.js";
import { t } from "./texts.js";
import { toast } from "./toasts.js";

/** @typedef {{code: string, text: string, other?: string, initials?: string}} Term */

const WAIT_MS = 90;

export class StatementPicker extends HTMLElement {
  /** @type {Term[]} */ #chosen = [];
  /** @type {Term[]} */ #found = [];
  #at = 0;
  #timer = 0;
  #asked = 0;
  #list = h("ol", { class: "picked", "aria-label": t("Chosen statements") });
  #input = h("input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    "aria-expanded": "false",
    "aria-autocomplete": "list",
    "aria-label": t("Add a statement"),
    placeholder: t("Code, pinyin initials, 中文 or English"),
  });
  #options = h("ul", { class: "options", role: "listbox", hidden: true });
  #clash = h("p", { class: "error clash", role: "alert", hidden: true });

  connectedCallback() {
    if (this.#list.isConnected) return;
    const script = this.querySelector("script[type='application/json']");
    this.#chosen = script?.textContent ? JSON.parse(script.textContent) : [];
    const id = `options-${this.getAttribute("name") ?? "code"}-${Math.random().toString(36).slice(2, 8)}`;
    this.#options.id = id;
    this.#input.setAttribute("aria-controls", id);
    const key = this.getAttribute("key");
    if (key) this.#input.dataset.key = key;
    this.#input.addEventListener("input", () => this.#later());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#input.addEventListener("blur", () => window.setTimeout(() => this.#close(), 150));
    this.append(this.#list, this.#input, this.#options, this.#clash);
    this.#show();
  }

  /** The chosen codes. @returns {string[]} */
  get codes() {
    return this.#chosen.map((term) => term.code);
  }

  /** Put a statement in, as if it had been typed. @param {Term} term */
  add(term) {
    if (!this.codes.includes(term.code)) this.#chosen.push(term);
    void this.#together();
  }

  /** These statements and no others. @param {Term[]} terms */
  replace(terms) {
    this.#chosen = [...terms];
    void this.#together();
  }

  focus() {
    this.#input.focus();
  }

  #later() {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#search(), WAIT_MS);
  }

  async #search() {
    const typed = this.#input.value.trim();
    const asked = ++this.#asked;
    if (!typed) {
      this.#close();
      return;
    }
    try {
      const kind = encodeURIComponent(this.getAttribute("kind") ?? "");
      const found = await ask(`/statements?q=${encodeURIComponent(typed)}&kind=${kind}`);
      if (asked !== this.#asked) return; // a later keystroke's answer came first
      this.#found = found;
      this.#at = 0;
      this.#showOptions();
    } catch (error) {
      if (error instanceof Refusal) toast(error.message, "danger");
      else throw error;
    }
  }

  #showOptions() {
    const rows = this.#found.map((term, index) =>
      h(
        "li",
        {
          role: "option",
          id: `${this.#options.id}-${index}`,
          "aria-selected": index === this.#at ? "true" : "false",
          onmousedown: (/** @type {Event} */ event) => {
            event.preventDefault();
            this.#take(term);
          },
        },
        h("span", { class: "code" }, term.code),
        h("span", { class: "text" }, term.text),
        h("span", { class: "quiet small" }, term.other ?? ""),
      ),
    );
    if (!rows.length) rows.push(h("li", { class: "quiet" }, t("No such statement; write it as free text below.")));
    this.#options.replaceChildren(...rows);
    this.#options.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#input.setAttribute("aria-activedescendant", this.#found.length ? `${this.#options.id}-${this.#at}` : "");
    this.#options.scrollIntoView({ block: "nearest" });
    this.#options.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  #close() {
    this.#options.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = !this.#options.hidden && this.#found.length > 0;
    if (event.key === "Enter") {
      event.preventDefault(); // never sends the form by accident
      if (open) this.#take(this.#found[this.#at]);
      else if (this.#input.value.trim()) void this.#takeFirst();
    } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.#at = (this.#at + step + this.#found.length) % this.#found.length;
      this.#showOptions();
    } else if (event.key === "Escape" && !this.#options.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.#close();
    } else if (event.key === "ArrowUp" && !this.#input.value && this.#chosen.length) {
      event.preventDefault();
      this.#focusChosen(this.#chosen.length - 1);
    } else if (event.key === "Backspace" && !this.#input.value && this.#chosen.length) {
      this.#chosen.pop();
      void this.#together();
    }
  }

  /** @param {Term} term */
  #remove(term) {
    this.#chosen = this.#chosen.filter((other) => other !== term);
    void this.#together();
  }

  /** The chosen statement at this place, or the field behind the last. @param {number} place */
  #focusChosen(place) {
    const buttons = this.#list.querySelectorAll("button");
    (buttons[Math.max(0, place)] ?? this.#input).focus();
  }

  /** @param {KeyboardEvent} event @param {Term} term */
  #pressOnChosen(event, term) {
    const place = this.#chosen.indexOf(term);
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      this.#focusChosen(place + (event.key === "ArrowUp" ? -1 : 1));
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.#remove(term);
      this.#focusChosen(Math.min(place, this.#chosen.length - 1));
    } else return;
    event.preventDefault();
  }

  /** Someone who types a code and Enter does not wait for the list. */
  async #takeFirst() {
    window.clearTimeout(this.#timer);
    await this.#search();
    if (this.#found.length) this.#take(this.#found[0]);
  }

  /** @param {Term} term */
  #take(term) {
    this.#input.value = "";
    this.#asked++;
    this.#found = [];
    this.#close();
    this.add(term);
  }

  /** Bring the chosen ones into the report's order and see whether they can stand together. */
  async #together() {
    this.#show();
    const codes = this.codes;
    try {
      const query = codes.map((code) => `code=${encodeURIComponent(code)}`).join("&");
      const answer = await ask(`/statements/together?${query}`);
      if (codes.join() !== this.codes.join()) return;
      this.#chosen.sort((a, b) => answer.codes.indexOf(a.code) - answer.codes.indexOf(b.code));
      this.#clash.textContent = answer.clashes.join("；");
      this.#clash.hidden = !answer.clashes.length;
      this.#show();
      this.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { conclusion: answer.conclusion } }));
    } catch (error) {
      // Order and contradictions are checked again when the report is signed.
      this.dispatchEvent(new CustomEvent("picked", { bubbles: true, detail: { conclusion: null } }));
      if (!(error instanceof Refusal)) throw error;
    }
  }

  #show() {
    const name = this.getAttribute("name");
    const focused = [...this.#list.querySelectorAll("button")].findIndex((one) => one === document.activeElement);
    this.#list.replaceChildren(
      ...this.#chosen.map((term) =>
        h(
          "li",
          { "data-code": term.code },
          h("span", { class: "text" }, term.text),
          h("span", { class: "code quiet" }, term.code),
          name ? h("input", { type: "hidden", name, value: term.code }) : null,
          h(
            "button",
            {
              type: "button",
              "aria-label": t("Remove %(statement)s", { statement: term.text }),
              onclick: () => {
                this.#remove(term);
                this.#input.focus();
              },
              onkeydown: (/** @type {KeyboardEvent} */ event) => this.#pressOnChosen(event, term),
            },
            "×",
          ),
        ),
      ),
    );
    this.#list.hidden = !this.#chosen.length;
    if (focused >= 0) this.#focusChosen(Math.min(focused, this.#chosen.length - 1)); // the list was drawn anew under it
  }
}

/** `data-adds='{"code": …, "text": …}'` on a button puts a statement into the page's first picker. */
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-adds]") : null;
  const picker = document.querySelector("statement-picker");
  if (button instanceof HTMLElement && picker instanceof StatementPicker) picker.add(JSON.parse(button.dataset.adds ?? "{}"));
});

/** `data-takes='[{"code": …, "text": …}, …]'` on a button makes these the picker's statements. */
document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-takes]") : null;
  const picker = document.querySelector("statement-picker");
  if (button instanceof HTMLElement && picker instanceof StatementPicker) picker.replace(JSON.parse(button.dataset.takes ?? "[]"));
});

if (!customElements.get("statement-picker")) customElements.define("statement-picker", StatementPicker);
