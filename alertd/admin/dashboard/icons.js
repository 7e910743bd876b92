// Small pictures. Each status has a shape of its own, so that nobody needs to tell colours apart.
import { html } from "./html.js";

const SHAPES = {
  ok: html`<circle cx="8" cy="8" r="6.5" /><path d="M5 8.3l2.1 2.1L11 6" />`,
  bad: html`<path d="M5.3 1.6h5.4l3.7 3.7v5.4l-3.7 3.7H5.3l-3.7-3.7V5.3z" /><path d="M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4" />`,
  warn: html`<path d="M8 1.8l6.6 12H1.4z" /><path d="M8 6.2v3.4M8 11.6v.2" />`,
  unsure: html`<circle cx="8" cy="8" r="6.5" stroke-dasharray="2.6 1.8" /><path d="M6.2 6.3a1.9 1.9 0 113 1.6c-.8.5-1.2.8-1.2 1.6M8 11.5v.2" />`,
  info: html`<rect x="1.8" y="1.8" width="12.4" height="12.4" rx="3" /><path d="M8 7.4v4M8 4.6v.2" />`,
  wait: html`<circle cx="8" cy="8" r="6.5" /><path d="M8 4.6V8l2.4 1.6" />`,
  none: html`<circle cx="8" cy="8" r="6.5" /><path d="M5 8h6" />`,
  hand: html`<circle cx="8" cy="5" r="2.8" /><path d="M2.8 14.2c.4-3 2.4-4.7 5.2-4.7s4.8 1.7 5.2 4.7" />`,
  mute: html`<path d="M4 6.2h2L9 3.6v8.8L6 9.8H4zM11.3 6.2l3 3.6M14.3 6.2l-3 3.6" />`,
  pause: html`<circle cx="8" cy="8" r="6.5" /><path d="M6.4 5.6v4.8M9.6 5.6v4.8" />`,
  overview: html`<rect x="1.8" y="1.8" width="5" height="7" rx="1" /><rect x="9.2" y="1.8" width="5" height="4" rx="1" /><rect x="1.8" y="11.2" width="5" height="3" rx="1" /><rect x="9.2" y="8.2" width="5" height="6" rx="1" />`,
  key: html`<circle cx="5" cy="8" r="3.2" /><path d="M8.2 8h6.3M12 8v2.6M14.3 8v2" />`,
  bell: html`<path d="M3.6 11.4V7.2a4.4 4.4 0 018.8 0v4.2l1 1H2.6zM6.6 14.3h2.8" />`,
  send: html`<path d="M1.8 7.2l12.6-5-4.6 12.2-2.6-5.2zM7.2 9.2l4-4" />`,
  plug: html`<path d="M5.6 1.8v3.4M10.4 1.8v3.4M3.8 5.2h8.4v2.4a4.2 4.2 0 01-8.4 0zM8 11.8v2.6" />`,
  chart: html`<path d="M1.8 1.8v12.4h12.4M4.4 10.6l3-3.4 2.4 2 3.8-5" />`,
  clock: html`<circle cx="8" cy="8" r="6.5" /><path d="M8 4v4l2.8 1.8" />`,
  book: html`<path d="M3 2.2h8.4a1.6 1.6 0 011.6 1.6v10H4.6A1.6 1.6 0 013 12.2zM3 12.2a1.6 1.6 0 011.6-1.6H13M6 5.4h4" />`,
  sun: html`<circle cx="8" cy="8" r="3" /><path d="M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M13 3l-1.2 1.2M4.2 11.8L3 13" />`,
  moon: html`<path d="M13.6 9.6A6 6 0 016.4 2.4a6 6 0 107.2 7.2z" />`,
  auto: html`<circle cx="8" cy="8" r="6.5" /><path d="M8 1.5v13a6.5 6.5 0 000-13z" fill="currentColor" />`,
  leave: html`<path d="M6.4 2.2H3.2a1 1 0 00-1 1v9.6a1 1 0 001 1h3.2M6.6 8h7.6M11.2 5l3 3-3 3" />`,
};

/** Decoration: the text beside it says the same. */
export const Icon = ({ name }) => html`
  <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">${SHAPES[name] ?? SHAPES.none}</svg>
`;
