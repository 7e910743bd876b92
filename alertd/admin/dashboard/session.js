// Who is signed in, and requests in his name.
//
// The key is exchanged for a token, and forgotten. The token lies in this tab's sessionStorage: it survives a reload
// and a restart of the daemon, so that a screen on a wall stays signed in and nobody keeps a key at hand for it, and
// it ends with the tab. Memory alone would be no safer: no foreign script runs here (see the policy of the page), and
// one that did could use the token from wherever it lies. There is no cookie, so no other site can use it.
const KEPT = "alertd.session";
const API = "/api/v1/";
const AUTH = "/api/performance-alerts/auth/";

const listeners = new Set();
let session = open() ? anonymous() : kept();
let ended = null;

class Problem extends Error {
  constructor(status, body) {
    super(sentence(status, body));
    this.status = status;
    this.flaws = body?.errors ?? [];
  }
}

export const current = () => session;
export const whyEnded = () => ended;

export function onSession(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the one who is signed in has this permission; tenants have none, and `isTenant` instead. */
export const may = (permission) => session?.user.permissions.includes(`alert:${permission}`) ?? false;
export const isTenant = () => session?.user.roles.includes("tenant") ?? false;

export async function signIn(key) {
  const answer = await send(`${AUTH}login`, { method: "POST", body: { api_key: key } });
  const { access_token: token, user } = await answer.json();
  change({ token, user }, null);
}

export function signOut() {
  change(null, null);
}

/** The answer to a request of the API, as JSON. Throws a Problem, or TypeError when the daemon cannot be reached. */
export async function ask(path, { method = "GET", query, body, signal } = {}) {
  const answer = await send(address(path, query), { method, body, signal });
  return answer.status === 204 ? null : answer.json();
}

/** An answer that goes on. */
export const listen = (path, { headers, signal }) => send(address(path), { headers, signal });

export function address(path, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const tail = given.length ? `?${new URLSearchParams(given)}` : "";
  return (path.startsWith("/") ? path : API + path) + tail;
}

async function send(url, { method = "GET", body, headers = {}, signal } = {}) {
  const all = { ...headers };
  const token = session?.token;
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  const answer = await fetch(url, {
    method,
    headers: all,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
    credentials: "omit",
    cache: "no-store",
    redirect: "error",
  });
  if (answer.ok) return answer;
  const problem = new Problem(answer.status, await answer.json().catch(() => null));
  if (answer.status === 401 && token && session?.token === token) {
    change(null, "You were signed out: the key was revoked, or the token is too old.");
  }
  throw problem;
}

function sentence(status, body) {
  const flaws = (body?.errors ?? []).map((flaw) => `${flaw.where.replace(/^\//, "")} ${flaw.detail}`);
  if (flaws.length) return flaws.join("; ");
  return body?.detail ?? `The daemon answered ${status}.`;
}

function change(next, why) {
  session = next;
  ended = why;
  if (next) sessionStorage.setItem(KEPT, JSON.stringify(next));
  else sessionStorage.removeItem(KEPT);
  for (const listener of listeners) listener();
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT));
    return typeof found?.token === "string" && Array.isArray(found.user?.permissions) ? found : null;
  } catch {
    return null;
  }
}

/** Whether authentication is switched off, so that everybody is an admin. */
export function open() {
  return document.documentElement.dataset.signingIn === "no";
}

function anonymous() {
  const permissions = ["view_status", "view_history", "trigger_manual", "enable_disable", "configure", "admin"];
  const user = { username: "anonymous", roles: ["admin"], permissions: permissions.map((name) => `alert:${name}`) };
  return { token: null, user };
}
