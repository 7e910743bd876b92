// Answers of the API as pages need them: shown at once from last time, and asked for again when something happened.
import { useCallback, useEffect, useRef, useState } from "./html.js";
import { onNews } from "./live.js";
import { address, ask, current, onSession } from "./session.js";

const EVERY = 30_000; // what no event tells of, such as time that passes
const SETTLE = 400; // several news make one question
const GAP = 2_000; // between two questions
const KEPT = 40;

const answers = new Map();
onSession(() => answers.clear());

/** `{data, error, at, refresh}`; `data` undefined: not yet. `path` null asks nothing. `on`: which news matter. */
export function useData(path, query, { on = ["event", "alert", "sweep"], every = EVERY } = {}) {
  const url = path === null ? null : address(path, query);
  const [seen, setSeen] = useState({ url, ...answers.get(url) });
  const asked = useRef(0);

  const refresh = useCallback(async () => {
    if (url === null) return;
    const mine = ++asked.current;
    const who = current();
    let found;
    try {
      found = { data: await ask(url), error: null, at: Date.now() };
      if (who === current()) remember(url, found); // else it is not for whoever sits here now
    } catch (error) {
      found = { ...answers.get(url), error };
    }
    if (mine === asked.current) setSeen({ url, ...found });
  }, [url]);

  useEffect(() => {
    if (url === null) return undefined;
    setSeen({ url, ...answers.get(url) });
    refresh();
    const forget = keepAsking(refresh, on, every);
    return () => {
      asked.current += 1;
      forget();
    };
  }, [url]);

  return seen.url === url ? { ...seen, refresh } : { ...answers.get(url), refresh };
}

/** A list, page by page; another query starts at the beginning. */
export function usePages(path, query, options) {
  const name = path === null ? "" : address(path, query);
  const [trail, setTrail] = useState({ name, cursors: [] });
  const cursors = trail.name === name ? trail.cursors : [];
  const found = useData(path, { ...query, cursor: cursors.at(-1) }, options);
  const next = found.data?.next_cursor;
  return {
    ...found,
    items: found.data?.items,
    page: cursors.length + 1,
    next: next ? () => setTrail({ name, cursors: [...cursors, next] }) : null,
    previous: cursors.length ? () => setTrail({ name, cursors: cursors.slice(0, -1) }) : null,
  };
}

function keepAsking(refresh, on, every) {
  let due = null;
  let last = Date.now();
  const now = () => {
    due = null;
    last = Date.now();
    if (!document.hidden) refresh();
  };
  const soon = (name) => {
    if (due === null && (name === "again" || on.includes(name))) {
      due = setTimeout(now, Math.max(SETTLE, last + GAP - Date.now()));
    }
  };
  const stop = onNews(soon);
  const regularly = setInterval(now, every);
  const seen = () => document.hidden || now();
  document.addEventListener("visibilitychange", seen);
  return () => {
    stop();
    clearTimeout(due);
    clearInterval(regularly);
    document.removeEventListener("visibilitychange", seen);
  };
}

function remember(url, found) {
  answers.delete(url);
  answers.set(url, found);
  if (answers.size > KEPT) answers.delete(answers.keys().next().value);
}
