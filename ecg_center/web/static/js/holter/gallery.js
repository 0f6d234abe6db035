// Which shapes of QRS has the day? One card a shape; a key or a button names all its beats at once.

import { h } from "../dom.js";
import { t, tn } from "../texts.js";
import { paletteOf, sized } from "./canvas.js";
import { LABELS } from "./kinds.js";

/**
 * @typedef {object} Template contract/holter.py's BeatTemplate
 * @property {number} id
 * @property {string} label
 * @property {number} beats
 * @property {number} first_s
 * @property {number} hz
 * @property {number} r_index
 * @property {Record<string, number[]>} median_uv
 */

const ORDER = "VFSPQN";
const DRAW_PX = { width: 132, height: 84 };

export class Gallery {
  /** @type {Template[]} */ #templates = [];
  #cards = h("div", { class: "gallery-cards" });
  element = h(
    "div",
    { class: "day-gallery" },
    h("p", { class: "quiet small" }, t("A key names all beats of the shape that has the focus: N S V F, P paced, Q unclassifiable. Enter shows its beats.")),
    this.#cards,
  );
  #on;
  #editable;

  /** @param {{named: (template: Template, label: string) => void, opened: (template: Template) => void}} on @param {boolean} editable */
  constructor(on, editable) {
    this.#on = on;
    this.#editable = editable;
    this.#cards.addEventListener("keydown", (event) => this.#press(event));
  }

  /** The shape whose card has the focus. @returns {Template | null} */
  get focused() {
    const card = document.activeElement?.closest("[data-template]");
    return card instanceof HTMLElement ? (this.#templates.find(({ id }) => id === Number(card.dataset.template)) ?? null) : null;
  }

  /** @param {Template[]} templates @param {number} total of all beats */
  set(templates, total) {
    const focused = this.focused?.id;
    this.#templates = [...templates].sort((a, b) => ORDER.indexOf(a.label) - ORDER.indexOf(b.label) || b.beats - a.beats);
    this.#cards.replaceChildren(...this.#templates.map((template) => this.#card(template, total)));
    if (focused !== undefined) this.#cards.querySelector(`[data-template="${focused}"]`)?.querySelector("button")?.focus();
    if (!templates.length) this.#cards.replaceChildren(h("p", { class: "quiet" }, t("The analysis found no shapes.")));
    this.draw();
  }

  /** @param {Template} template @param {number} total */
  #card(template, total) {
    const share = total ? `${((100 * template.beats) / total).toFixed(template.beats / total < 0.01 ? 2 : 1)} %` : "";
    const names = Object.keys(LABELS).map((label) =>
      h(
        "button",
        {
          type: "button",
          class: `label-${label}`,
          title: LABELS[label](),
          "aria-pressed": String(label === template.label),
          disabled: !this.#editable,
          tabindex: -1,
          onclick: () => this.#on.named(template, label),
        },
        label,
      ),
    );
    return h(
      "article",
      { class: `template label-${template.label}`, "data-template": template.id },
      h(
        "button",
        { type: "button", class: "shape", onclick: () => this.#on.opened(template), "aria-label": t("Shape %(number)s, %(label)s", { number: template.id + 1, label: LABELS[template.label]() }) },
        h("strong", { class: `letter label-${template.label}` }, template.label),
        h("canvas", { "aria-hidden": "true" }),
        h("span", { class: "small" }, tn("%(num)d beat", "%(num)d beats", template.beats), " ", h("span", { class: "quiet" }, share)),
      ),
      h("div", { class: "names", role: "group", "aria-label": t("Name all its beats") }, ...names),
    );
  }

  /** Draw the shapes, the leads over one another. */
  draw() {
    const colours = paletteOf(this.element);
    const tallest = Math.max(500, ...this.#templates.map((template) => spanOf(template)));
    for (const card of this.#cards.querySelectorAll("[data-template]")) {
      const template = this.#templates.find(({ id }) => id === Number(/** @type {HTMLElement} */ (card).dataset.template));
      const canvas = card.querySelector("canvas");
      const ctx = template && canvas && sized(canvas, DRAW_PX.width, DRAW_PX.height);
      if (!template || !ctx) continue;
      ctx.fillStyle = colours.paper;
      ctx.fillRect(0, 0, DRAW_PX.width, DRAW_PX.height);
      const leads = Object.values(template.median_uv);
      leads.forEach((uv, i) => drawShape(ctx, uv, { colours, label: template.label, tallest, faint: i > 0 }));
    }
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const template = this.focused;
    const label = event.key.toUpperCase();
    if (template && label in LABELS && this.#editable) {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) this.#on.named(template, label);
      return;
    }
    const shapes = [...this.#cards.querySelectorAll(".shape")];
    const at = shapes.indexOf(/** @type {Element} */ (document.activeElement));
    if (at < 0) return;
    const a_row = Math.max(1, Math.floor(this.#cards.clientWidth / (/** @type {HTMLElement} */ (this.#cards.firstElementChild)?.offsetWidth || 1)));
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: a_row, ArrowUp: -a_row }[event.key];
    const next = step ? shapes[Math.min(shapes.length - 1, Math.max(0, at + step))] : null;
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  }

  /** Take the keyboard. */
  focus() {
    this.#cards.querySelector("button")?.focus();
  }
}

/** @param {Template} template */
function spanOf({ median_uv }) {
  return Math.max(...Object.values(median_uv).map((uv) => Math.max(...uv) - Math.min(...uv)));
}

/**
 * @param {CanvasRenderingContext2D} ctx @param {number[]} uv
 * @param {{colours: import("./canvas.js").Palette, label: string, tallest: number, faint: boolean}} how
 */
function drawShape(ctx, uv, { colours, label, tallest, faint }) {
  const { width, height } = DRAW_PX;
  const middle = (Math.max(...uv) + Math.min(...uv)) / 2;
  const scale = (height - 8) / tallest;
  ctx.strokeStyle = colours.label[label];
  ctx.globalAlpha = faint ? 0.4 : 1;
  ctx.lineWidth = faint ? 1 : 1.5;
  ctx.beginPath();
  uv.forEach((value, i) => {
    const x = 3 + (i / (uv.length - 1)) * (width - 6);
    const y = height / 2 - (value - middle) * scale;
    if (i) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
  });
  ctx.stroke();
  ctx.globalAlpha = 1;
}
