import { html } from "../html.js";
import { Empty, Heading } from "../parts.js";

export function Performance() {
  return html`<${Heading} title="Performance" /><${Empty} icon="chart" title="No data yet." />`;
}
