// What a check said, as a status.
import { html } from "./html.js";
import { Status } from "./parts.js";
import { reasonText } from "./words.js";

export const VERDICTS = [["valid", "Valid"], ["invalid", "Invalid"], ["inconclusive", "Inconclusive"]];
export const KINDS = { valid: "ok", invalid: "bad", inconclusive: "unsure" };

/** The verdict by shape and colour, the reason as the word. */
export function verdictStatus({ verdict, reason }) {
  if (!verdict) return html`<${Status} kind="wait">Not checked yet<//>`;
  return html`<${Status} kind=${KINDS[verdict]}>${reasonText(reason)}<//>`;
}
