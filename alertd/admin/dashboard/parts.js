// The small parts that every page is made of.
import { Icon } from "./icons.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { exact, relative, visible } from "./words.js";

const ticks = new Set();
setInterval(() => document.hidden || ticks.forEach((tick) => tick()), 1_000);

/** A time, relative; the exact one on hover and for whoever copies it. */
export function Time({ at, none = "never" }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const again = () => tick((beat) => beat + 1);
    ticks.add(again);
    return () => ticks.delete(again);
  }, []);
  if (!at) return html`<span class="faint">${none}</span>`;
  return html`<time datetime=${at} title=${exact(at)}>${relative(at)}</time>`;
}

/** When something is due. What has passed is due now, and late after a while. */
export function Due({ at }) {
  if (!at) return html`<span class="faint">–</span>`;
  const late = (Date.now() - Date.parse(at)) / 1000;
  if (late < -2) return html`<${Time} at=${at} />`;
  return late < 60 ? html`<span title=${exact(at)}>due now</span>` : html`<span class="late">due <${Time} at=${at} /></span>`;
}

export const Exact = ({ at }) => (at ? html`<time class="num" datetime=${at} title=${relative(at)}>${exact(at)}</time>` : "");

/** A status: shape, colour and word. `kind`: ok, bad, warn, unsure, info, wait, none. */
export const Status = ({ kind, icon = kind, children }) => html`
  <span class="status ${kind}"><${Icon} name=${icon} /><span>${children}</span></span>
`;

export const Badge = ({ kind = "none", children }) => html`<span class="badge ${kind}">${children}</span>`;

export function Panel({ title, aside, children, className = "", id }) {
  return html`
    <section class="panel ${className}" aria-labelledby=${id}>
      ${title && html`<header><h2 id=${id}>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}
      ${children}
    </section>
  `;
}

export function Heading({ title, children, note }) {
  return html`
    <div class="heading">
      <div><h1 tabindex="-1">${title}</h1>${note && html`<p class="note">${note}</p>`}</div>
      <div class="actions">${children}</div>
    </div>
  `;
}

/** What is to be done where there is nothing to see. */
export const Empty = ({ icon = "none", title, children }) => html`
  <div class="empty"><${Icon} name=${icon} /><p class="title">${title}</p>${children && html`<p>${children}</p>`}</div>
`;

/** What a page shows until it knows, and when it cannot know. */
export function Waiting({ error, children }) {
  if (!error) return html`<div class="empty" role="status"><p>${children ?? "Loading …"}</p></div>`;
  return html`<div class="empty bad" role="alert">
    <${Icon} name="bad" />
    <p class="title">${error.status === 403 ? "This key may not see that." : "This could not be loaded."}</p>
    <p>${error.status ? error.message : "The daemon does not answer; this page asks again by itself."}</p>
  </div>`;
}

/** `columns`: `{name, cell(item), className}`; on a phone each row becomes a card. The label is for screen readers. */
export function Table({ label, columns, items, keyOf = (item) => item.id, busy, rowClass = () => "" }) {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${label}>
      <table role="table" aria-label=${label} aria-busy=${busy ? "true" : "false"}>
        <thead role="rowgroup"><tr role="row">${columns.map((column) => html`
          <th role="columnheader" scope="col" class=${column.className}>${column.name}</th>`)}</tr></thead>
        <tbody role="rowgroup">${items.map((item) => html`
          <tr role="row" key=${keyOf(item)} class=${rowClass(item)}>${columns.map((column) => {
            const inside = column.cell(item);
            const blank = inside === null || inside === "";
            return html`<td role="cell" class="${column.className ?? ""}${blank ? " blank" : ""}" data-label=${column.name}>${inside}</td>`;
          })}</tr>`)}
        </tbody>
      </table>
    </div>
  `;
}

export function Pager({ pages, noun }) {
  if (!pages.next && !pages.previous) return null;
  return html`
    <nav class="pager" aria-label="Pages of ${noun}">
      <button type="button" class="quiet" disabled=${!pages.previous} onClick=${() => pages.previous?.()}>Newer page</button>
      <span class="num">Page ${pages.page}</span>
      <button type="button" class="quiet" disabled=${!pages.next} onClick=${() => pages.next?.()}>Further page</button>
    </nav>
  `;
}

/** A choice that narrows a list. `options`: values, or `[value, text]`. */
export function Choice({ label, value, options, onChange, all = "All" }) {
  return html`
    <label class="field"><span>${label}</span>
      <select value=${value ?? ""} onChange=${(event) => onChange(event.currentTarget.value)}>
        ${all !== null && html`<option value="">${all}</option>`}
        ${options.map((option) => {
          const [given, text] = Array.isArray(option) ? option : [option, option];
          return html`<option key=${given} value=${given} selected=${given === (value ?? "")}>${text}</option>`;
        })}
      </select>
    </label>
  `;
}

/** What a list is narrowed to and no field shows; pressed, it is so no longer. */
export const Only = ({ name, value, onDrop }) => html`
  <button type="button" class="only" title="Show others too" aria-label="${name} ${value}: show others too" onClick=${onDrop}>${name} <code>${visible(value)}</code> ×</button>
`;

/** What is narrowed to, as tabs that are links. `tabs`: `[value, text, count]`. */
export const Tabs = ({ label, value, tabs, hrefOf }) => html`
  <nav class="tabs" aria-label=${label}>${tabs.map(([given, text, number]) => html`
    <a key=${given} href=${hrefOf(given)} aria-current=${given === value ? "true" : undefined}>${text}${
      number === undefined || number === null ? "" : html` <span class="count num">${number}</span>`}</a>`)}
  </nav>
`;

/** A share of a whole, as a bar; the text beside it says it too. */
export function Meter({ value, label, kind = "info" }) {
  const share = Math.min(1, Math.max(0, value || 0));
  return html`
    <div class="meter ${kind}" role="progressbar" aria-label=${label} aria-valuemin="0" aria-valuemax="100"
      aria-valuenow=${Math.round(share * 100)}><span style=${{ width: `${share * 100}%` }}></span></div>
  `;
}

/** Parts of a whole: `[kind, count, word]`. */
export function Shares({ parts, label }) {
  const total = parts.reduce((sum, [, number]) => sum + number, 0);
  const words = parts.filter(([, number]) => number).map(([, number, word]) => `${number} ${word}`);
  return html`
    <div class="shares" role="img" aria-label="${label}: ${words.join(", ") || "none"}" title=${words.join(", ")}>
      ${total > 0 && parts.map(([kind, number]) => number > 0 && html`
        <span key=${kind} class=${kind} style=${{ flexGrow: String(number) }}></span>`)}
    </div>
  `;
}

export const Facts = ({ items }) => html`
  <dl class="facts">${items.filter(Boolean).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;

/** Text that somebody else wrote: as text, cut, with hidden characters shown. */
export const Foreign = ({ text, most = 1024 }) => {
  const shown = visible(text);
  return html`<span class="foreign">${shown.length > most ? `${shown.slice(0, most)} …` : shown}</span>`;
};

export const Code = ({ children }) => html`<pre tabindex="0"><code>${children}</code></pre>`;

/** A dialog of the browser's own: it keeps the focus, and Escape closes it. */
export function Dialog({ title, onClose, children, wide }) {
  const element = useRef(null);
  useEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`
    <dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby="dialog-title"
      onCancel=${(event) => { event.preventDefault(); onClose(); }}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
    </dialog>
  `;
}
