// Which colours has the paper today? The style sheet knows them; the canvas has to be told.

/** @param {Element} element @returns {import("./draw.js").Theme} */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const of = (/** @type {string} */ name) => style.getPropertyValue(`--ecg-${name}`).trim();
  return {
    outside: of("outside"),
    paper: of("paper"),
    minor: of("minor"),
    major: of("major"),
    trace: of("trace"),
    doubtful: of("doubtful"),
    label: of("label"),
    mark: of("mark"),
    evidence: of("evidence"),
    calliper: of("calliper"),
    on_calliper: of("on-calliper"),
    font: style.fontFamily,
  };
}
