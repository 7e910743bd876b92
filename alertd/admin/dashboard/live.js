// What happens, as it happens: server-sent events read with fetch, because EventSource cannot send a token.
import { current, listen, onSession } from "./session.js";

const SILENCE = 45_000; // the daemon says something every 15 s
const WAITS = [500, 1_000, 2_000, 4_000, 8_000, 15_000];

const listeners = new Set();
const watchers = new Set();
let state = "off";
let tries = 0;
let lastId = null;
let running = null;

/** `listener(name, data)`: "event", "alert", "sweep", and "again" after something may have been missed. */
export function onNews(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `watcher(state)`: "off", "connecting", "live", "lost", and "full" while too many listen with this key. */
export function onState(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const liveState = () => state;

export function start() {
  onSession(restart);
  addEventListener("online", hurry);
  restart();
}

function restart() {
  running?.abort();
  running = null;
  lastId = null;
  tries = 0;
  if (!current()) return become("off");
  running = new AbortController();
  keepListening(running.signal);
}

function hurry() {
  tries = 0;
}

async function keepListening(stop) {
  while (!stop.aborted) {
    if (state !== "full") become(tries === 0 ? "connecting" : "lost");
    let full = false;
    try {
      await hear(stop);
    } catch (error) {
      if (stop.aborted || error.status === 401) return;
      full = error.status === 429;
    }
    if (stop.aborted) return;
    become(full ? "full" : "lost");
    await pause(full ? WAITS.at(-1) : WAITS[Math.min(tries, WAITS.length - 1)]);
    tries += 1;
  }
}

/** One connection, until it ends. */
async function hear(stop) {
  const own = new AbortController();
  const end = () => own.abort();
  stop.addEventListener("abort", end);
  let alarm = setTimeout(end, SILENCE);
  try {
    const answer = await listen("events/stream", {
      headers: lastId ? { "Last-Event-ID": lastId } : {},
      signal: own.signal,
    });
    if (tries > 0) tell("again", null);
    tries = 0;
    become("live");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(alarm);
      alarm = setTimeout(end, SILENCE);
      const frames = (rest + value).split("\n\n");
      rest = frames.pop();
      for (const frame of frames) understand(frame);
    }
  } finally {
    clearTimeout(alarm);
    stop.removeEventListener("abort", end);
  }
}

function understand(frame) {
  const fields = { event: "message", data: "" };
  for (const line of frame.split("\n")) {
    const at = line.indexOf(": ");
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 2);
  }
  if (fields.id) lastId = fields.id;
  if (!fields.data) return;
  try {
    tell(fields.event, JSON.parse(fields.data));
  } catch {
    // not a message of ours
  }
}

function tell(name, data) {
  for (const listener of listeners) listener(name, data);
}

function become(next) {
  if (state === next) return;
  state = next;
  for (const watcher of watchers) watcher(next);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
