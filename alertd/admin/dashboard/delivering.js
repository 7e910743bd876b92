// How deliveries and endpoints stand, in words and shapes.
import { html } from "./html.js";
import { Badge, Status } from "./parts.js";
import { plain } from "./words.js";

export const STATES = ["pending", "delivered", "failed", "held", "parked", "superseded"];
const SHAPES = { pending: ["wait", "wait"], delivered: ["ok", "ok"], failed: ["bad", "bad"], held: ["warn", "pause"], parked: ["warn", "pause"], superseded: ["none", "none"] };
export const MEANINGS = {
  pending: "On its way: tried at once, or at the time shown.",
  delivered: "The receiver accepted it.",
  failed: "Given up after the last try. It can be sent again.",
  held: "A person has to release it.",
  parked: "Its endpoint's circuit is open, or the endpoint is switched off.",
  superseded: "A newer message of the same matter went instead.",
};

export const deliveryStatus = (state) => html`<${Status} kind=${SHAPES[state]?.[0] ?? "none"} icon=${SHAPES[state]?.[1] ?? "none"}>${plain(state)}<//>`;
const SOURCES = { replay: "Sent again", catch_up: "Caught up" };
/** Why there is a second message; of a test its name says it. */
export const sourceBadge = (source) => (SOURCES[source] ? html`<${Badge}>${SOURCES[source]}<//>` : "");

const CIRCUITS = { closed: ["ok", "Closed"], open: ["bad", "Open"], half_open: ["warn", "Being tried"] };
export const circuitStatus = (circuit) => html`<${Status} kind=${CIRCUITS[circuit][0]}>${CIRCUITS[circuit][1]}<//>`;

/** What an attempt came to. */
export function attemptStatus({ status, error }) {
  if (status >= 200 && status < 300) return html`<${Status} kind="ok">${status}<//>`;
  if (status === null && !error) return html`<${Status} kind="wait">under way<//>`;
  return html`<${Status} kind="bad">${status ?? plain(error)}<//>`;
}
