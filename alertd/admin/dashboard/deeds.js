// What people do: a button that asks the API, is out of reach meanwhile, and says how it went.
import { html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";

const watchers = new Set();
let notes = [];
let number = 0;

/** Say something for a few seconds, also to screen readers. `kind`: ok, bad. */
export function say(kind, text) {
  const note = { id: ++number, kind, text };
  notes = [...notes.slice(-3), note];
  tell();
  setTimeout(() => dismiss(note.id), kind === "bad" ? 12_000 : 6_000);
}

function dismiss(id) {
  notes = notes.filter((note) => note.id !== id);
  tell();
}

function tell() {
  for (const watcher of watchers) watcher(notes);
}

export function Notes() {
  const [shown, setShown] = useState(notes);
  useEffect(() => {
    watchers.add(setShown);
    return () => watchers.delete(setShown);
  }, []);
  return html`
    <div class="notes" role="status" aria-live="polite">${shown.map((note) => html`
      <div key=${note.id} class="note-card ${note.kind}"><${Icon} name=${note.kind} /><p>${note.text}</p>
        <button type="button" class="quiet small" aria-label="Dismiss" onClick=${() => dismiss(note.id)}>×</button></div>`)}
    </div>
  `;
}

/** `{busy, error, run}`: `run(work, said)` once at a time; `said` is what to say when it went well. */
export function useDeed() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const here = useRef(true);
  useEffect(() => () => { here.current = false; }, []);
  const run = async (work, said) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const answer = await work();
      const text = typeof said === "function" ? said(answer) : said;
      if (text) say("ok", text);
    } catch (problem) {
      const text = problem.status ? problem.message : "The daemon does not answer. Try again in a moment.";
      if (here.current) setError(text);
      if (problem.status !== 401) say("bad", text);
    } finally {
      if (here.current) setBusy(false);
    }
  };
  return { busy, error, run };
}

export function Deed({ work, said, children, className = "", disabled = false }) {
  const deed = useDeed();
  return html`
    <button type="button" class=${className} disabled=${disabled || deed.busy} aria-busy=${deed.busy ? "true" : undefined}
      onClick=${() => deed.run(work, said)}>${children}</button>
  `;
}
