// One kind of picture: lines over days, with thresholds that are named where they end, and the numbers below it.
import { html, useEffect, useRef, useState } from "./html.js";

const HEIGHT = 240;
const PAD = { top: 14, right: 14, named: 96, bottom: 24, left: 58 };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const day = (date) => Date.parse(`${date}T00:00:00Z`) / 86_400_000;

/**
 * `lines`: `{kind, name, points: [[date, value]]}`; `band`: `{name, points: [[date, low, high]]}`;
 * `levels`: `{kind, name, value}`; `format` writes a value. `label` says in a sentence what is seen.
 */
export function Chart({ lines, levels = [], band, format, label }) {
  const box = useRef(null);
  const width = useWidth(box);
  const [at, setAt] = useState(null);
  const drawn = lines.filter((line) => line.points.length);
  const scale = scaleOf(drawn, levels, band, width);
  const main = drawn[0];
  const point = at === null ? null : main.points[at];
  const move = (event) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    setAt(nearest(main.points, scale, x));
  };
  return html`
    <figure class="chart" ref=${box}>
      <svg width=${width} height=${HEIGHT} viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label=${label}
        onPointerMove=${move} onPointerLeave=${() => setAt(null)}>
        <${Grid} scale=${scale} format=${format} />
        ${band && band.points.length > 1 && html`<path class="band" d=${area(band.points, scale)} />`}
        ${levels.map((level) => html`<${Level} key=${level.name} level=${level} scale=${scale} format=${format} />`)}
        ${drawn.map((line) => html`<path key=${line.name} class="line ${line.kind}" d=${path(line.points, scale)} />`)}
        ${point && html`<g class="pointer"><line x1=${scale.x(point[0])} x2=${scale.x(point[0])} y1=${PAD.top} y2=${HEIGHT - PAD.bottom} />
          <circle cx=${scale.x(point[0])} cy=${scale.y(point[1])} r="4" /></g>`}
      </svg>
      <figcaption>
        ${drawn.map((line) => html`<span key=${line.name} class="stroke ${line.kind}">${line.name}${line === main ? html`: <strong class="num">${format((point ?? main.points.at(-1))[1])}</strong> <span class="faint num">${(point ?? main.points.at(-1))[0]}</span>` : ""}</span>`)}
        ${band && band.points.length > 1 ? html`<span class="stroke area">${band.name}</span>` : ""}
      </figcaption>
      <details><summary>The numbers</summary><${Numbers} lines=${drawn} format=${format} /></details>
    </figure>
  `;
}

function Grid({ scale, format }) {
  return html`
    <g class="grid">
      ${scale.rows.map((value) => html`<g key=${value}><line x1=${PAD.left} x2=${scale.right} y1=${scale.y(value)} y2=${scale.y(value)} />
        <text x=${PAD.left - 8} y=${scale.y(value) + 4} text-anchor="end">${format(value)}</text></g>`)}
      ${scale.columns.map(([x, text]) => html`<text key=${x} x=${x} y=${HEIGHT - 6} text-anchor="middle">${text}</text>`)}
    </g>
  `;
}

function Level({ level, scale, format }) {
  const y = scale.y(level.value);
  return html`
    <g class="level ${level.kind}"><line x1=${PAD.left} x2=${scale.right} y1=${y} y2=${y} />
      <text x=${scale.right + 6} y=${y + 4}>${level.name} ${format(level.value)}</text></g>
  `;
}

/** The latest ones, for those who read rather than look. */
function Numbers({ lines, format }) {
  const dates = [...new Set(lines.flatMap((line) => line.points.map(([date]) => date)))].sort().slice(-30).toReversed();
  const values = lines.map((line) => new Map(line.points));
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="The numbers"><table>
      <thead><tr><th scope="col">Day</th>${lines.map((line) => html`<th scope="col" class="right">${line.name}</th>`)}</tr></thead>
      <tbody>${dates.map((date) => html`<tr key=${date}><td data-label="Day">${date}</td>${values.map((known, at) => html`
        <td class="right num" data-label=${lines[at].name}>${known.has(date) ? format(known.get(date)) : "–"}</td>`)}</tr>`)}</tbody>
    </table></div>
  `;
}

function useWidth(box) {
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => setWidth(Math.max(280, Math.floor(entry.contentRect.width))));
    watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  return width;
}

function scaleOf(lines, levels, band, width) {
  const points = [...lines.flatMap((line) => line.points), ...(band?.points ?? []).flatMap(([date, low, high]) => [[date, low], [date, high]])];
  const days = points.map(([date]) => day(date));
  const values = [...points.map(([, value]) => value), ...levels.map((level) => level.value), 0];
  const [first, last] = [Math.min(...days), Math.max(...days)];
  const rows = ticks(Math.min(...values), Math.max(...values));
  const [low, high] = [Math.min(rows[0], ...values), Math.max(rows.at(-1), ...values)];
  const right = width - (levels.length ? PAD.named : PAD.right);
  const x = (date) => PAD.left + ((day(date) - first) / (last - first || 1)) * (right - PAD.left);
  const y = (value) => HEIGHT - PAD.bottom - ((value - low) / (high - low || 1)) * (HEIGHT - PAD.top - PAD.bottom);
  return { x, y, right, rows, columns: months(first, last, x, right - PAD.left) };
}

/** Round steps, four or five of them. */
function ticks(low, high) {
  const rough = (high - low || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, at) => (first + at) * step);
}

function months(first, last, x, width) {
  const most = Math.max(2, Math.floor(width / 70));
  const found = [];
  for (let at = first; at <= last; at += 1) {
    const date = new Date(at * 86_400_000);
    const name = MONTHS[date.getUTCMonth()];
    if (last - first < 75 ? date.getUTCDay() === 1 : date.getUTCDate() === 1) {
      found.push([x(date.toISOString().slice(0, 10)), last - first < 75 ? `${date.getUTCDate()} ${name}` : name]);
    }
  }
  const every = Math.ceil(found.length / most);
  return found.filter((_, at) => at % every === 0);
}

const path = (points, { x, y }) => points.map(([date, value], at) => `${at ? "L" : "M"}${x(date).toFixed(1)} ${y(value).toFixed(1)}`).join("");

function area(points, { x, y }) {
  const upper = points.map(([date, , high]) => [date, high]);
  const lower = points.map(([date, low]) => [date, low]).toReversed();
  return `${path(upper, { x, y })}${path(lower, { x, y }).replace("M", "L")}Z`;
}

function nearest(points, { x }, wanted) {
  let best = 0;
  for (let at = 1; at < points.length; at += 1) {
    if (Math.abs(x(points[at][0]) - wanted) < Math.abs(x(points[best][0]) - wanted)) best = at;
  }
  return best;
}
