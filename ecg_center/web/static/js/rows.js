// How does one go through a list without the mouse? Arrow keys move from row to row; the row keeps its focus when the
// list is renewed, because its link keeps its id.

import { isTyping } from "./dom.js";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  if (document.querySelector("dialog[open]")) return;
  const rows = [...document.querySelectorAll("[data-rows] [data-row]")];
  if (!rows.length) return;
  const at = rows.findIndex((row) => row === document.activeElement);
  const step = event.key === "ArrowDown" ? 1 : -1;
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  event.preventDefault();
  if (next instanceof HTMLElement) next.focus();
});
