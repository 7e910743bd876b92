// Names of tenants: those of the first page at once, further ones when somebody needs them.
import { useEffect, useState } from "./html.js";
import { ask, current, onSession } from "./session.js";

const names = new Map();
const watchers = new Set();
let loading = null;

onSession(() => {
  names.clear();
  loading = null;
});

/** `{nameOf, known}`: what to call a tenant, and `[id, name]` of those that are known, by name. */
export function useTenants() {
  const [, again] = useState(0);
  useEffect(() => {
    const watcher = () => again((count) => count + 1);
    watchers.add(watcher);
    loading ??= load();
    return () => watchers.delete(watcher);
  }, []);
  return { nameOf, known: [...names].filter(([, name]) => name).sort((a, b) => a[1].localeCompare(b[1])) };
}

const shortId = (id) => (id ? `${id.slice(0, 8)}…` : "");

function nameOf(id) {
  if (!id) return "Operators";
  if (!names.has(id)) find(id);
  return names.get(id) || shortId(id);
}

async function load() {
  const who = current();
  try {
    const { items } = await ask("tenants", { query: { limit: 200 } });
    if (who !== current()) return;
    for (const tenant of items) names.set(tenant.id, tenant.name ?? "");
    tell();
  } catch {
    loading = null; // the page itself says what is wrong
  }
}

async function find(id) {
  const who = current();
  names.set(id, "");
  loading ??= load();
  await loading;
  if (names.get(id) || who !== current()) return;
  try {
    const tenant = await ask(`tenants/${encodeURIComponent(id)}`);
    if (who !== current()) return;
    names.set(id, tenant.name ?? "");
    tell();
  } catch {
    // then it is called by its id
  }
}

function tell() {
  for (const watcher of watchers) watcher();
}
