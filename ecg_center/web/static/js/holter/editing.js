// How does a physician's word reach the list of edits, and when do the figures hold it? One edit goes after the other;
// each is sent with its place in the list, so that nothing that somebody else changed is overlooked, and sending it
// twice changes nothing.

import { Refusal } from "../ask.js";
import { t } from "../texts.js";
import { toast } from "../toasts.js";

/** @typedef {{action: string, label?: string, at_s?: number[], template?: number, start_s?: number, end_s?: number, rhythm?: string, undoes?: number}} Edit */
/** @typedef {{position: number, edit: Edit, why: string, person_name: string, at: string, holds: boolean}} EditMade */

const TRIES = 3;

export class Editing {
  /** How many edits the list has. */ count = 0;
  /** @type {EditMade[]} */ made = [];
  #queue = Promise.resolve();
  #source;
  #changed;

  /** @param {import("./source.js").DaySource} source @param {() => void} changed the list has grown */
  constructor(source, changed) {
    this.#source = source;
    this.#changed = changed;
  }

  /** Read the list anew. */
  async load() {
    this.made = await this.#source.edits();
    this.count = this.made.length;
  }

  /** @param {Edit} edit @returns {Promise<boolean>} whether it stands in the list */
  add(edit) {
    const sent = this.#queue.then(() => this.#send(edit));
    this.#queue = sent.then(() => undefined);
    return sent;
  }

  /** @param {Edit} edit */
  async #send(edit) {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#source.addEdit({ position: this.count, edit });
        this.count += 1;
        await this.load();
        this.#changed();
        return true;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.status === 0 && attempt < TRIES) continue; // no answer: it may have arrived, and the same one is not taken twice
        toast(error.message, "danger");
        if (error.status) await this.load();
        return false;
      }
    }
  }

  /** The last edit that holds and is no undoing itself. @returns {EditMade | null} */
  get last() {
    return [...this.made].reverse().find(({ edit, holds }) => holds && edit.action !== "undo") ?? null;
  }

  /** Take the last edit back. */
  async undo() {
    const { last } = this;
    if (!last) return toast(t("There is nothing to undo."), "info");
    await this.add({ action: "undo", undoes: last.position });
  }
}

/** @type {Record<string, () => string>} */
export const RHYTHMS = { sinus: () => t("sinus"), af: () => t("fibrillation"), flutter: () => t("flutter") };

/** What an edit does, in words. @param {Edit} edit @param {import("./time.js").Clock} clock */
export function editWords(edit, clock) {
  const when = edit.start_s === undefined || edit.start_s === null ? "" : `${clock.at(edit.start_s)} – ${clock.at(edit.end_s ?? edit.start_s)}`;
  const beats = edit.at_s?.length ? `${edit.at_s.length} × ${clock.at(edit.at_s[0])}` : "";
  const what = {
    relabel_beats: () => t("Beats named %(label)s", { label: edit.label ?? "" }),
    relabel_template: () => t("Shape %(number)s named %(label)s", { number: (edit.template ?? 0) + 1, label: edit.label ?? "" }),
    delete_beats: () => t("Beats taken out"),
    insert_beats: () => t("Beat put in as %(label)s", { label: edit.label ?? "" }),
    exclude: () => t("Stretch left out"),
    include: () => t("Stretch taken in"),
    rhythm: () => t("Rhythm named %(rhythm)s", { rhythm: RHYTHMS[edit.rhythm ?? ""]?.() ?? "" }),
    undo: () => t("Change %(number)s undone", { number: (edit.undoes ?? 0) + 1 }),
  }[edit.action];
  return [what?.() ?? edit.action, beats, when].filter(Boolean).join(" · ");
}
