// In which language does a script speak? Texts are English message ids; the page carries their translation
// in a JSON block, made from locale/zh.po by ecg_center/web/i18n.py.

/** @type {Record<string, string | string[]> | undefined} */
let catalogue;

/** @returns {Record<string, string | string[]>} */
function texts() {
  if (catalogue === undefined) {
    const block = typeof document === "undefined" ? null : document.getElementById("texts");
    catalogue = block?.textContent ? JSON.parse(block.textContent) : {};
  }
  return /** @type {Record<string, string | string[]>} */ (catalogue);
}

/**
 * Fill `%(name)s` in.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
function fill(text, values) {
  return text.replace(/%\((\w+)\)[sd]/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/**
 * The text of this message id in the page's language.
 * @param {string} message
 * @param {Record<string, string | number>} [values]
 */
export function t(message, values = {}) {
  const found = texts()[message];
  return fill(typeof found === "string" ? found : message, values);
}

/**
 * The text for a number, which is also `%(num)d`.
 * @param {string} one
 * @param {string} other
 * @param {number} num
 */
export function tn(one, other, num) {
  const found = texts()[one];
  const forms = Array.isArray(found) ? found : [one, other];
  return fill(forms[num === 1 ? 0 : 1], { num });
}
