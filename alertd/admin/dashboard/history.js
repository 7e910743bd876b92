// The last ninety checks as a row of cells, the newest on the right. Height tells verdicts apart as well as colour.
import { html } from "./html.js";
import { KINDS } from "./verdicts.js";
import { exact, plural, reasonText } from "./words.js";

const CELLS = 90;
const WIDTH = 8;
const TALL = 36;
const SHAPES = { ok: [4, 28], bad: [0, 36], unsure: [16, 10] };

export function HistoryBar({ checks }) {
  const shown = checks.slice(0, CELLS).toReversed();
  const lead = CELLS - shown.length;
  const number = (verdict) => shown.filter((check) => check.verdict === verdict).length;
  const words = `${plural(shown.length, "check")}: ${number("valid")} valid, ${number("invalid")} invalid, ${number("inconclusive")} inconclusive`;
  return html`
    <figure class="history">
      <svg viewBox="0 0 ${CELLS * WIDTH} ${TALL}" preserveAspectRatio="none" role="img" aria-label=${words}>
        ${Array.from({ length: lead }, (_, at) => html`<rect key=${`e${at}`} class="cell none" x=${at * WIDTH} y="16" width=${WIDTH - 2} height="4" />`)}
        ${shown.map((check, at) => html`<${Cell} key=${check.id} check=${check} x=${(lead + at) * WIDTH} />`)}
      </svg>
      <figcaption><span class="key ok">valid</span><span class="key bad">invalid</span><span class="key unsure">inconclusive</span>
        <span class="num right">${shown.length ? `${plural(shown.length, "check")} since ${exact(shown[0].checked_at)}` : "no check yet"}</span></figcaption>
    </figure>
  `;
}

function Cell({ check, x }) {
  const kind = KINDS[check.verdict];
  const [y, height] = SHAPES[kind];
  return html`
    <g><title>${`${exact(check.checked_at)}: ${reasonText(check.reason)}`}</title>
      <rect class="cell ${kind}" x=${x} y=${y} width=${WIDTH - 2} height=${height} />
      ${kind === "bad" ? html`<rect class="cut" x=${x} y="16" width=${WIDTH - 2} height="4" />` : null}</g>
  `;
}
