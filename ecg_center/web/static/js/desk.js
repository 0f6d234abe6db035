// How is a report written without ever losing a word? The desk saves by itself, says when it last did, keeps the claim
// on the study while it is open, and refuses to overwrite what another window saved.

import { ask, Refusal } from "./ask.js";
import { clockTime, now } from "./clock.js";
import { find } from "./dom.js";
import { StatementPicker } from "./picker.js";
import { isSeen } from "./seen.js";
import { t } from "./texts.js";
import { toast } from "./toasts.js";

const SAVE_AFTER_MS = 1200;
const RENEW_MS = 60_000; // domain/claims.py: four renewals may fail before the five-minute lease is lost

class Desk {
  /** @type {HTMLFormElement} */ #form;
  #state = /** @type {HTMLElement} */ (find("[data-saved]"));
  #study = "";
  #edition = 0;
  #saved = "";
  #timer = 0;
  #conclusionTouched = true;
  /** @type {Promise<boolean> | null} */ #saving = null;

  /** @param {HTMLFormElement} form */
  constructor(form) {
    this.#form = form;
    this.#study = form.dataset.desk ?? "";
    this.#edition = Number(form.dataset.edition);
    const chosen = String(new FormData(form).get("conclusion") ?? "");
    this.#conclusionTouched = chosen !== "" && chosen !== form.dataset.suggested; // a physician's choice, from before
    this.#saved = JSON.stringify(this.content());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = event.submitter;
      void this.sign(button instanceof HTMLButtonElement && button.value === "list" ? "list" : "next");
    });
    form.addEventListener("input", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.name === "conclusion") this.#conclusionTouched = true;
      this.#changed();
    });
    form.addEventListener("picked", (event) => {
      this.#suggest(/** @type {CustomEvent} */ (event).detail.conclusion);
      this.#changed();
    });
    document.addEventListener("keydown", (event) => this.#press(event));
    document.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-urges]") : null;
      if (button instanceof HTMLElement) this.#urge(button.dataset.urges ?? "");
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.isDirty()) event.preventDefault();
    });
    window.setInterval(() => void this.#renew(), RENEW_MS);
  }

  /** What the report says now. */
  content() {
    const picker = find("statement-picker", this.#form);
    const fields = new FormData(this.#form);
    const text = (/** @type {string} */ name) => String(fields.get(name) ?? "").trim();
    const measurements = JSON.parse(this.#form.dataset.measurements ?? "{}");
    for (const input of this.#form.querySelectorAll("input[data-measurement]")) {
      if (!(input instanceof HTMLInputElement)) continue;
      const value = input.value.trim();
      if (value === input.defaultValue) continue; // shown rounded, kept as measured
      measurements[input.dataset.measurement ?? ""] = value === "" ? null : Number(value);
    }
    return {
      statements: picker instanceof StatementPicker ? picker.codes : [],
      text: text("text"),
      urgent_finding: text("urgent_finding"),
      conclusion: text("conclusion") || null,
      measurements,
      remark: text("remark"),
      strips: this.#strips(),
    };
  }

  /** The strips of a day that are printed; null for the usual ones, and of other exams. */
  #strips() {
    const list = find("strip-list", this.#form);
    return list && "strips" in list ? list.strips : null;
  }

  isDirty() {
    return JSON.stringify(this.content()) !== this.#saved;
  }

  /** The statements' conclusion, as long as the physician has not chosen one. @param {string | null} conclusion */
  #suggest(conclusion) {
    if (this.#conclusionTouched || !conclusion) return;
    const choice = this.#form.querySelector(`input[name=conclusion][value=${conclusion}]`);
    if (choice instanceof HTMLInputElement) choice.checked = true;
  }

  /** Put a critical value on the report's second line, beside what stands there; shown, as it may lie below. @param {string} words */
  #urge(words) {
    const field = find("[name=urgent_finding]", this.#form);
    if (!(field instanceof HTMLInputElement)) return;
    const said = field.value.split("；").filter(Boolean);
    const whole = [...said, words].join("；");
    if (!said.includes(words) && whole.length <= field.maxLength) field.value = whole;
    field.scrollIntoView({ block: "center" });
    field.focus();
    this.#changed();
  }

  #changed() {
    if (!this.isDirty()) return; // e.g. letters in the search field
    this.#say(t("not saved yet"), "dirty");
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.save(), SAVE_AFTER_MS);
  }

  /** @param {string} text @param {string} state */
  #say(text, state) {
    this.#state.textContent = text;
    this.#state.dataset.saved = state;
  }

  /** Save what changed. @returns {Promise<boolean>} whether everything is saved */
  async save() {
    window.clearTimeout(this.#timer);
    if (this.#saving) await this.#saving;
    if (!this.isDirty()) return true;
    this.#saving = this.#save();
    const done = await this.#saving;
    this.#saving = null;
    return done;
  }

  async #save() {
    const content = this.content();
    try {
      const answer = await ask(`/studies/${this.#study}/draft`, { edition: this.#edition, content });
      this.#edition = answer.edition;
      this.#saved = JSON.stringify(content);
      this.#say(t("saved %(time)s", { time: clockTime(now()) }), "saved");
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#say(t("not saved: %(why)s", { why: error.message }), "failed");
      if (!error.status) this.#timer = window.setTimeout(() => void this.save(), 5 * SAVE_AFTER_MS);
      return false;
    }
  }

  /** Save and sign. @param {"next" | "list"} then */
  async sign(then) {
    if (!isSeen()) return;
    window.clearTimeout(this.#timer);
    if (this.#saving) await this.#saving;
    const content = this.content();
    this.#busy(true);
    try {
      const { go } = await ask(`/studies/${this.#study}/sign`, { edition: this.#edition, content, then });
      this.#saved = JSON.stringify(content);
      window.location.assign(go);
    } catch (error) {
      this.#busy(false);
      if (!(error instanceof Refusal)) throw error;
      toast(error.message, "danger");
    }
  }

  /** @param {boolean} is */
  #busy(is) {
    for (const button of this.#form.querySelectorAll("button[type=submit]")) {
      if (button instanceof HTMLButtonElement) button.disabled = is;
    }
  }

  async #renew() {
    try {
      await ask(`/studies/${this.#study}/renew`, {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.status) this.#say(error.message, "failed");
    }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (find("dialog[open]")) return;
    if (event.repeat && event.key === "Enter" && (event.ctrlKey || event.metaKey)) return; // one press, one signature
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key.toLowerCase() === "s") {
      event.preventDefault();
      void this.save();
    } else if (control && event.key === "Enter") {
      event.preventDefault();
      void this.sign("next");
    } else if (event.altKey && /^Digit[1-4]$/.test(event.code)) {
      event.preventDefault();
      const choice = this.#form.querySelectorAll("input[name=conclusion]")[Number(event.code.slice(5)) - 1];
      if (choice instanceof HTMLInputElement) choice.click();
    }
  }
}

const form = find("form[data-desk]");
if (form instanceof HTMLFormElement) new Desk(form);

/** A release is a signature too. */
for (const release of document.querySelectorAll("form[data-signs]")) {
  release.addEventListener("submit", (event) => {
    if (!isSeen()) event.preventDefault();
  });
}

/** Keeps the claim on a study whose page has no desk: the review. */
const held = find("[data-holds]")?.dataset.holds;
if (held) {
  window.setInterval(() => {
    ask(`/studies/${held}/renew`, {}).catch((error) => {
      if (error instanceof Refusal && error.status) toast(error.message, "danger");
    });
  }, RENEW_MS);
}
