// How does a script ask the centre for something, and say why not?

import { t } from "./texts.js";

/** The centre refused, or cannot be reached; the message is a sentence for the person. */
export class Refusal extends Error {
  /** @param {string} message @param {number} status 0 where nothing answered */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} address
 * @param {unknown} [body] sent as JSON by POST; without it the address is asked for by GET
 * @returns {Promise<any>}
 */
export async function ask(address, body) {
  let response;
  try {
    response = await fetch(address, {
      method: body === undefined ? "GET" : "POST",
      headers: { "x-requested-with": "fetch", "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refusal(t("The centre does not answer. Nothing was changed; try again."), 0);
  }
  if (response.status === 401) {
    throw new Refusal(t("Your log-in has ended. Sign in again in another window, then go on here."), 401);
  }
  if (!response.ok) {
    const text = (response.headers.get("content-type") ?? "").startsWith("text/plain") ? await response.text() : "";
    const fallback = t("The centre refused this (%(status)s). Nothing was changed; reload the page and try again.", {
      status: response.status,
    });
    throw new Refusal(text || fallback, response.status);
  }
  return response.json();
}
