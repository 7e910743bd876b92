// What the performance checks say, in words and shapes.
import { html } from "./html.js";
import { Status } from "./parts.js";

const STATUSES = {
  ok: ["ok", "Fine"], info: ["info", "Noted"], warning: ["warn", "Warning"], critical: ["bad", "Critical"], emergency: ["bad", "Emergency"],
  no_data: ["wait", "Too little data"], stale_data: ["wait", "Waits for data"],
};

export const OUTLOOKS = {
  plausible: ["ok", "Plausible"], likely_overfit: ["warn", "Likely overfitted"], trials_unknown: ["unsure", "Luck cannot be told from skill"],
  too_short: ["unsure", "Too short"], no_edge: ["warn", "No edge to be seen"],
};

export function judged(status) {
  const [kind, text] = STATUSES[status] ?? ["none", "Not judged yet"];
  return html`<${Status} kind=${kind}>${text}<//>`;
}

const LOUDNESS = ["emergency", "critical", "warning", "stale_data", "info", "no_data", "ok"];
export const byLoudness = (a, b) => LOUDNESS.indexOf(a.status) - LOUDNESS.indexOf(b.status);
