// What deserves attention, as a list in the order of importance. Pure.
import { href } from "./router.js";
import { alertTitle, keyTitle, severityKind } from "./alerting.js";
import { exchangeName, plain, plural, reasonText, visible } from "./words.js";

const LOUDNESS = ["emergency", "critical", "warning", "info"];

const rank = ({ kind }) => ({ bad: 0, info: 2 })[kind] ?? 1;

/** `{id, kind, title, text, at, to}`; what stands first matters most. */
export function troubles(now, { alerts, failing, subjects }, nameOf) {
  return [
    ...ofPlatform(now),
    ...ofAlerts(alerts, now, nameOf),
    ...ofSubjects(subjects),
    ...ofMessages(now),
    ...ofExchanges(now.exchanges),
    ...ofKeys(failing, alerts, now, nameOf),
    ...ofRisks(now.exchanges),
  ].sort((a, b) => rank(a) - rank(b));
}

function ofPlatform({ platform, schedules }) {
  if (!platform) return [];
  const found = [];
  if (platform.waiting_for.includes("database")) {
    found.push({ id: "database", kind: "bad", title: "The database does not answer", text: "Nothing is checked and nothing is sent until it does.", to: href([]) });
  }
  if (!platform.secret_store_usable) {
    found.push({ id: "store", kind: "bad", title: "The secret store cannot be used", text: "No key can be read, so none is checked; nobody is accused of it.", to: href([]) });
  }
  if (!platform.scheduler_running) {
    found.push({ id: "scheduler", kind: "bad", title: "The scheduler does not run", text: "No check begins by itself.", to: href(["schedule"]) });
  }
  const off = (schedules ?? []).find((one) => one.name === "credential_health_check" && !one.enabled);
  if (off) found.push({ id: "off", kind: "warn", title: "Credential checks are switched off", text: "Keys are checked only when somebody asks.", to: href(["schedule"]) });
  return found;
}

function ofAlerts(alerts, now, nameOf) {
  const order = (alert) => (alert.acked_at ? 10 : 0) + (alert.tenant_id ? 0.5 : 0) + LOUDNESS.indexOf(alert.severity);
  const unheeded = alerts.filter((alert) => !alert.acked_at);
  const found = unheeded
    .sort((a, b) => order(a) - order(b) || Date.parse(b.fired_at ?? b.started_at) - Date.parse(a.fired_at ?? a.started_at))
    .map((alert) => ({
      id: alert.id,
      kind: severityKind(alert.severity),
      title: alertTitle(alert),
      text: `${nameOf(alert.tenant_id)} · ${alert.severity}${alert.silenced_by ? ", silenced" : ""}`,
      at: alert.fired_at ?? alert.started_at,
      to: href(["alerts", alert.id]),
    }));
  const rest = now.alerts ? LOUDNESS.reduce((sum, name) => sum + now.alerts[name], 0) - found.length : 0;
  if (alerts.length && rest > 0) {
    found.push({ id: "alerts", kind: "bad", title: plural(rest, "further alert fires", "further alerts fire"), text: "See all of them.", to: href(["alerts"]) });
  }
  return found;
}

/** For tenants, who see no alerts of the operators: what their accounts and strategies do. */
function ofSubjects(subjects) {
  return subjects
    .filter((one) => ["emergency", "critical", "warning"].includes(one.status))
    .sort((a, b) => LOUDNESS.indexOf(a.status) - LOUDNESS.indexOf(b.status))
    .map((one) => ({ id: one.id, kind: severityKind(one.status), title: visible(one.subject), text: `${plain(one.kind)} · ${one.status}; see what the checks say`, to: href(["performance", one.id]) }));
}

/** Keys that work and may do more than they should. */
function ofRisks(exchanges) {
  return exchanges.filter((one) => one.risky).map((one) => ({
    id: `r-${one.exchange}`,
    kind: "warn",
    title: `${plural(one.risky, "key")} of ${exchangeName(one.exchange)} ${one.risky === 1 ? "works, with a warning" : "work, with warnings"}`,
    text: "It may do too much, or expires soon.",
    to: href(["credentials"], { exchange: one.exchange, verdict: "valid" }),
  }));
}

function ofMessages({ messages, endpoints }) {
  const found = [];
  if (messages.held) {
    found.push({ id: "held", kind: "warn", title: `${plural(messages.held, "message")} held`, text: "A person has to release them: many keys of one exchange failed at once, or they are very late.", to: href(["deliveries"], { state: "held" }) });
  }
  if (endpoints.open_circuits) {
    found.push({ id: "circuits", kind: "warn", title: plural(endpoints.open_circuits, "endpoint does not answer", "endpoints do not answer"), text: `Left alone for a while; ${plural(messages.parked, "message waits", "messages wait")}.`, to: href(["endpoints"]) });
  }
  if (messages.oldest_due_at && Date.now() - Date.parse(messages.oldest_due_at) > 60_000) {
    found.push({ id: "late", kind: "warn", title: "Messages are late", text: "The oldest should have gone out.", at: messages.oldest_due_at, to: href(["deliveries"], { state: "pending" }) });
  }
  if (messages.failed_last_day) {
    found.push({ id: "failed", kind: "warn", title: `${plural(messages.failed_last_day, "message")} given up within a day`, text: "They can be sent again.", to: href(["deliveries"], { state: "failed" }) });
  }
  return found;
}

function ofExchanges(exchanges) {
  return exchanges.flatMap((one) => {
    const asked = one.total - one.unchecked;
    const name = exchangeName(one.exchange);
    const to = href(["credentials"], { exchange: one.exchange, verdict: "inconclusive" });
    if (one.backed_off_until) {
      return [{ id: `x-${one.exchange}`, kind: "unsure", title: `${name} is left alone for a while`, text: `${reasonText(one.backed_off_reason)}. Its ${plural(one.total, "key")} cannot be judged, and nobody is accused of it.`, to }];
    }
    if (asked && one.inconclusive === asked) {
      return [{ id: `x-${one.exchange}`, kind: "unsure", title: `No key of ${name} can be judged`, text: `${plural(one.inconclusive, "key")} without a verdict. Nobody is accused of it.`, to }];
    }
    return [];
  });
}

/** Keys that fail, and have no alert of their own in the list yet. */
function ofKeys(failing, alerts, { exchanges }, nameOf) {
  const told = new Set(alerts.map((alert) => alert.subject));
  const quiet = failing.filter((key) => !told.has(key.id));
  const found = quiet.map((key) => ({
    id: key.id,
    kind: key.alerting ? "bad" : "warn",
    title: keyTitle(key.exchange, key.leaf, key.reason),
    text: `${nameOf(key.tenant_id)} · ${plural(key.consecutive_failures, "failure")} in a row${key.alerting ? "" : ", not announced yet"}${key.endpoint_configured ? "" : " · nobody listens"}`,
    at: key.first_failure_at,
    to: href(["credentials", key.tenant_id, key.exchange, key.leaf]),
  }));
  const shown = new Set([...failing.map((key) => key.id), ...alerts.filter((alert) => alert.check === "credential_health_check").map((alert) => alert.subject)]);
  const rest = exchanges.reduce((sum, one) => sum + one.invalid, 0) - shown.size;
  if (rest > 0) {
    found.push({ id: "rest", kind: "bad", title: plural(rest, "further key fails", "further keys fail"), text: "See all of them.", to: href(["credentials"], { verdict: "invalid" }) });
  }
  return found;
}
