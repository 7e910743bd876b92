import { html } from "../html.js";
import { Empty, Heading } from "../parts.js";

export function Subject() {
  return html`<${Heading} title="Performance" /><${Empty} icon="chart" title="No data yet." />`;
}
