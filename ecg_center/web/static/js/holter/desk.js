// How does a physician go through a day? The trend of the whole recording, the list of events, and one of: the strip,
// full disclosure, the shapes, the courses, the changes. All of them speak of one moment. What is changed goes to the
// list of edits; the figures follow when the centre says so (`live:findings-{study}`), and everything is drawn anew
// where it stands.

import { find, h } from "../dom.js";
import { t } from "../texts.js";
import { toast } from "../toasts.js";
import { AS_RECORDED, isAsRecorded, USUAL } from "../viewer/filters.js";
import { GAINS } from "../viewer/projection.js";
import { dayBar } from "./bar.js";
import { Changes } from "./changes.js";
import { Charts, chartsOf } from "./charts.js";
import { Disclosure } from "./disclosure.js";
import { Editing } from "./editing.js";
import { EventList } from "./events.js";
import { Gallery } from "./gallery.js";
import { listenToKeys } from "./keys.js";
import { labelOf } from "./kinds.js";
import { Around } from "./overview.js";
import { Poincare } from "./poincare.js";
import { DaySource, sentenceOf } from "./source.js";
import { Strip } from "./strip.js";
import { StripList } from "./strips.js";
import { Clock } from "./time.js";
import { DayTrend } from "./trend.js";

/** @typedef {import("./source.js").Beat} Beat */
/** @typedef {import("./kinds.js").HolterEvent} HolterEvent */
/** @typedef {"strip" | "disclosure" | "shapes" | "courses" | "changes"} View */

const ASK_AGAIN_MS = 2500; // the centre says when figures are new; where that word is lost, the page asks
const PRINTED_S = 10; // store/day_reports.py
const LEAD_IN_S = 1.5; // an event is shown with what came before it

export class DayDesk {
  /** @type {View} */ view = "strip";
  /** @type {any} */ #findings = null;
  #held = 0;
  #waiting = 0;
  #spoken = h("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });

  /** @param {HTMLElement} host @param {DaySource} source */
  constructor(host, source) {
    this.host = host;
    this.source = source;
    this.clock = new Clock(source.header.started_at);
    const go = (/** @type {number} */ at_s) => {
      this.events.leave();
      this.setView("strip");
      void this.centre(at_s);
    };
    this.events = new EventList(this.clock, (event) => void this.#showEvent(event));
    this.strip = new Strip(
      source,
      {
        moved: (at_s) => void this.goTo(at_s),
        picked: (beats, more) => this.#pick(beats, more),
        drawn: () => this.#bar.show(),
        failed: sentenceOf,
      },
      AS_RECORDED,
    );
    this.disclosure = new Disclosure(source, this.clock, go);
    this.editing = new Editing(source, () => this.#edited());
    this.gallery = new Gallery(
      {
        named: (template, label) => void this.#edit({ action: "relabel_template", template: template.id, label }),
        opened: (template) => void this.nextOfShape(template.id, -1),
      },
      host.hasAttribute("editable"),
    );
    this.#trend = new DayTrend(this.clock, source.duration_s, go);
    this.#around = new Around(source, this.clock, go);
    this.#poincare = new Poincare(source, this.clock, go);
    this.#charts = new Charts(this.clock, source.duration_s, go, this.#poincare.element);
    this.#changes = new Changes(this.clock, {
      undone: (position) => void this.#edit({ action: "undo", undoes: position }),
      machine: (on) => void this.setMachine(on),
    });
    this.#bar = dayBar(this);
    /** @type {Record<View, HTMLElement>} */
    this.#views = {
      strip: h("div", { class: "day-strips" }, this.strip.element, this.#around.element),
      disclosure: this.disclosure.element,
      shapes: this.gallery.element,
      courses: this.#charts.element,
      changes: this.#changes.element,
    };
    const main = h("div", { class: "day-main" }, this.#bar.element, ...Object.values(this.#views), this.#bar.foot);
    host.replaceChildren(this.#trend.element, h("div", { class: "day-body" }, this.events.element, main), this.#spoken);
    this.#listen();
  }

  #trend;
  #around;
  #charts;
  #poincare;
  #changes;
  #bar;
  #views;

  get editable() {
    return this.host.hasAttribute("editable") && !this.source.machine;
  }

  /** Fetch what is said and show the strip of this moment. @param {number} at_s */
  async open(at_s) {
    await this.#load();
    this.setView("strip");
    await this.goTo(at_s);
  }

  #listen() {
    listenToKeys(this);
    const resize = new ResizeObserver(() => {
      void this.strip.refresh();
      this.#around.resize();
      this.#trend.redraw();
      this.#charts.redraw();
      if (this.view === "disclosure") this.disclosure.refresh();
    });
    resize.observe(this.host);
    const redraw = () => {
      for (const part of [this.strip, this.#around, this.#trend, this.#charts, this.#poincare, this.disclosure]) part.redraw();
      this.gallery.draw();
    };
    document.addEventListener("themechange", redraw);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    document.body.addEventListener(`live:findings-${this.host.getAttribute("study")}`, () => void this.reload());
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("[data-jump], [data-evidence]") : null;
      if (link instanceof HTMLElement) this.#jump(link);
    });
  }

  /** What a statement rests on, or a figure of the summary, is shown on the strip. @param {HTMLElement} link */
  #jump(link) {
    const frames = /** @type {{start_s: number | null, end_s: number | null, leads: string[]}[]} */ (
      link.dataset.jump ? [{ start_s: Number(link.dataset.jump), end_s: Number(link.dataset.until ?? link.dataset.jump), leads: [] }] : JSON.parse(link.dataset.evidence ?? "[]")
    );
    const first = frames.find(({ start_s }) => start_s !== null);
    if (!first || first.start_s === null) return;
    this.events.leave();
    this.setView("strip");
    this.strip.framed = { start_s: first.start_s, end_s: Math.max(first.start_s + 0.4, first.end_s ?? first.start_s), leads: first.leads };
    void this.goTo(first.start_s - LEAD_IN_S);
  }

  // ------------------------------------------------------------------------------------------- what is said

  /** Fetch what is said, and show it. */
  async #load() {
    const [said, trend] = await Promise.all([this.source.findings(), this.source.trend(this.#trend.columns), this.editing.load()]);
    this.#findings = said.findings;
    this.#held = said.held;
    const { holter } = said.findings;
    if (!holter) return;
    const total = Object.values(holter.beats).reduce((sum, count) => sum + Number(count), 0);
    const grave = said.findings.critical.flatMap((/** @type {any} */ value) => value.evidence);
    this.events.set(
      holter.events,
      grave.flatMap((/** @type {{start_s: number | null}} */ { start_s }) => start_s ?? []),
    );
    this.#trend.set(trend, holter.events);
    this.gallery.set(holter.templates, total);
    const diary = holter.events.filter((/** @type {HolterEvent} */ event) => event.kind === "diary");
    this.#charts.set(chartsOf(holter), diary.map((/** @type {HolterEvent} */ { start_s }) => start_s));
    this.#changes.set(this.editing.made, this.source.machine, this.host.hasAttribute("editable"));
    this.#bar.show();
  }

  /** The figures are new: everything is drawn anew where it stands. */
  async reload() {
    this.source.forgetBeats();
    try {
      await this.#load();
    } catch (error) {
      toast(sentenceOf(error), "danger");
      return;
    }
    await this.strip.refresh();
    if (this.view === "disclosure") this.disclosure.refresh();
    if (this.view === "courses") void this.#poincare.show(this.strip.at_s);
    this.#settle();
  }

  /** How many edits wait for their figures. */
  get pending() {
    return this.source.machine ? 0 : Math.max(0, this.editing.count - this.#held);
  }

  #edited() {
    this.#changes.set(this.editing.made, this.source.machine, this.host.hasAttribute("editable"));
    this.#settle();
  }

  /** Say whether figures are awaited, and ask by itself where the word that they are there is lost. */
  #settle() {
    window.clearTimeout(this.#waiting);
    if (this.pending) this.#waiting = window.setTimeout(() => void this.reload(), ASK_AGAIN_MS);
    this.host.toggleAttribute("data-pending", this.pending > 0);
    this.#bar.show();
  }

  /** The machine's own result, or the one with the changes. @param {boolean} on */
  async setMachine(on) {
    this.source.machine = on;
    this.host.toggleAttribute("data-machine", on);
    this.strip.selected.clear();
    await this.reload();
  }

  // ------------------------------------------------------------------------------------------------ moving

  /** Show the strip that begins here. @param {number} at_s */
  async goTo(at_s) {
    await this.strip.show(at_s);
    this.#trend.mark(this.strip.at_s, this.strip.visible_s);
    this.#charts.mark(this.strip.at_s);
    void this.#around.show(this.strip.at_s, this.strip.visible_s);
    this.#bar.show();
  }

  /** Show the strip whose middle is here. @param {number} at_s */
  centre(at_s) {
    return this.goTo(at_s - this.strip.visible_s / 2);
  }

  /** @param {HolterEvent} event */
  async #showEvent(event) {
    if (this.view !== "strip") this.setView("strip");
    this.strip.framed = { start_s: event.start_s - 0.15, end_s: Math.max(event.end_s, event.start_s) + 0.15, leads: event.leads };
    const room_s = this.strip.visible_s;
    const length_s = event.end_s - event.start_s;
    await this.goTo(length_s < room_s - 2 * LEAD_IN_S ? (event.start_s + event.end_s - room_s) / 2 : event.start_s - LEAD_IN_S);
    const label = labelOf(event.kind);
    const own = this.strip.beats.filter((beat) => beat.at_s >= event.start_s - 0.02 && beat.at_s <= event.end_s + 0.02 && beat.label === label);
    this.#pick(label ? own : [], false, true);
  }

  /** @param {View} view */
  setView(view) {
    this.view = view;
    for (const [name, element] of Object.entries(this.#views)) element.hidden = name !== view;
    this.#bar.show();
    if (view === "disclosure") this.disclosure.open(this.strip.at_s);
    if (view === "courses") {
      this.#charts.redraw();
      void this.#poincare.show(this.strip.at_s);
    }
    if (view === "shapes") {
      this.gallery.draw();
      this.gallery.focus();
    }
    if (view === "strip") {
      void this.strip.refresh();
      this.#around.resize();
      this.strip.element.focus({ preventScroll: true });
    }
  }

  /** @param {number | "true"} seconds */
  setSeconds(seconds) {
    const middle_s = this.strip.at_s + this.strip.visible_s / 2;
    this.strip.seconds = seconds;
    void this.centre(middle_s);
  }

  /** @param {-1 | 1} step */
  stepGain(step) {
    this.strip.gain = GAINS[Math.min(GAINS.length - 1, Math.max(0, GAINS.indexOf(this.strip.gain) + step))];
    this.strip.redraw();
    this.#bar.show();
  }

  toggleFilters() {
    this.strip.filters = isAsRecorded(this.strip.filters) ? USUAL : AS_RECORDED;
    void this.strip.refresh();
  }

  /** @param {number} lead */
  setAroundLead(lead) {
    this.#around.setLead(lead);
  }

  // -------------------------------------------------------------------------------------------- beats

  /** @param {Beat[]} beats @param {boolean} more to those taken already @param {boolean} [keeps_frame] of the event that they belong to */
  #pick(beats, more, keeps_frame = false) {
    const { selected } = this.strip;
    if (!keeps_frame) this.strip.framed = null;
    if (!more) selected.clear();
    for (const { sample } of beats) {
      if (more && selected.has(sample)) selected.delete(sample);
      else selected.add(sample);
    }
    this.strip.redraw();
    this.#bar.show();
    if (beats.length) this.say(beats.map((beat) => `${beat.label} ${this.clock.at(beat.at_s)}`).join(", "));
  }

  /** The beats that are taken hold of. @returns {Beat[]} */
  get picked() {
    return this.strip.beats.filter((beat) => this.strip.selected.has(beat.sample));
  }

  /** The same, to be changed; a word where there are none, or where this person may not. */
  #taken() {
    if (!this.editable) {
      this.#refuse();
      return [];
    }
    if (!this.picked.length) toast(t("Take a beat first: click on it, or go to an event with J and K."), "info");
    return this.picked;
  }

  /** The next beat to the left or right is taken hold of. @param {-1 | 1} step @param {boolean} more */
  async stepBeat(step, more) {
    const { beats, selected, at_s, visible_s } = this.strip;
    const taken = beats.filter((beat) => selected.has(beat.sample));
    const edge_s = taken.length ? taken[step > 0 ? taken.length - 1 : 0].at_s : at_s + visible_s / 2;
    const next = step > 0 ? beats.find((beat) => beat.at_s > edge_s) : [...beats].reverse().find((beat) => beat.at_s < edge_s);
    if (!next) return;
    this.#pick([next], more);
    if (next.at_s < at_s + 0.3 || next.at_s > at_s + visible_s - 0.3) await this.centre(next.at_s);
  }

  /** All beats that are taken hold of are of this class. @param {string} label */
  async name(label) {
    const beats = this.#taken();
    if (!beats.length) return;
    if (await this.#edit({ action: "relabel_beats", at_s: beats.map(({ at_s }) => at_s), label })) {
      for (const beat of beats) beat.label = label;
      this.strip.redraw();
    }
  }

  /** The shape of the beat that is taken hold of is of this class, all its beats. @param {string} label */
  async nameShape(label) {
    const [beat] = this.#taken();
    if (beat && beat.template < 0) toast(t("This beat has no shape of its own; name it alone."), "info");
    else if (beat) await this.#edit({ action: "relabel_template", template: beat.template, label });
  }

  /** The beats that are taken hold of are none. */
  async remove() {
    const beats = this.#taken();
    if (!beats.length) return;
    if (await this.#edit({ action: "delete_beats", at_s: beats.map(({ at_s }) => at_s) })) this.strip.selected.clear();
  }

  /** The framed stretch, or what the strip shows. */
  get #stretch() {
    const { framed, at_s, visible_s } = this.strip;
    const [from_s, to_s] = framed ? [framed.start_s, framed.end_s] : [at_s, at_s + visible_s];
    return { start_s: Math.max(0, from_s), end_s: Math.min(this.source.duration_s, to_s) };
  }

  /** Leave the framed stretch, or the strip, out of all figures. */
  leaveOut() {
    return this.#edit({ action: "exclude", ...this.#stretch });
  }

  /**
   * Say who leads in the framed stretch, or the strip; without a word the opposite of what is said there.
   * @param {"sinus" | "af" | "flutter"} [rhythm]
   */
  leads(rhythm) {
    const kind = this.events.current?.kind ?? "";
    return this.#edit({ action: "rhythm", rhythm: rhythm ?? (["af", "flutter"].includes(kind) ? "sinus" : "af"), ...this.#stretch });
  }

  /** Have the report print the strip that is seen; of an event, ten seconds about it. */
  print() {
    const list = find("strip-list");
    if (!(list instanceof StripList)) return toast(t("The report is written by whoever took the study."), "info");
    const event = this.events.current;
    const length_s = event ? event.end_s - event.start_s : 0;
    const start_s = event ? (length_s < PRINTED_S - 2 * LEAD_IN_S ? (event.start_s + event.end_s - PRINTED_S) / 2 : event.start_s - LEAD_IN_S) : this.strip.at_s;
    list.add(Math.max(0, Math.round(start_s * 1000) / 1000), event);
  }

  undo() {
    if (this.editable) void this.editing.undo();
    else this.#refuse();
  }

  /** @param {import("./editing.js").Edit} edit */
  async #edit(edit) {
    if (!this.editable) return this.#refuse();
    return this.editing.add(edit);
  }

  #refuse() {
    toast(this.source.machine ? t("This is the machine's own result. Go back to the one with changes to go on.") : t("Only who holds the study changes its beats. Take it from the worklist."), "info");
    return false;
  }

  /** The first beat of a shape after a moment; after the last one, the first again. @param {number} template @param {number} after_s */
  async nextOfShape(template, after_s) {
    const step_s = 600;
    for (let from_s = Math.max(0, after_s); from_s < this.source.duration_s; from_s += step_s) {
      const beats = await this.source.beats(from_s, from_s + step_s);
      const found = beats.find((beat) => beat.template === template && beat.at_s > after_s);
      if (!found) continue;
      this.setView("strip");
      this.events.leave();
      await this.centre(found.at_s);
      this.#pick([found], false);
      return;
    }
    toast(t("No further beat of this shape"), "info");
  }

  /** Put callipers, frames and the selection away, one by one. @returns {boolean} whether there was any */
  escape() {
    if (this.view !== "strip") this.setView("strip");
    else if (this.strip.escape()) return true;
    else if (this.strip.selected.size) this.#pick([], false);
    else if (this.strip.framed) {
      this.strip.framed = null;
      this.strip.redraw();
    } else return false;
    return true;
  }

  /** Tell a screen reader. @param {string} text */
  say(text) {
    this.#spoken.textContent = text;
  }

  /** What is said of the day. */
  get findings() {
    return this.#findings;
  }

  /** Go to the page's place for a typed time. */
  askForTime() {
    find(".day-time", this.host)?.focus();
  }
}
