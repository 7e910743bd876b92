// What is wrong now, in the order of importance, and beside it how everything stands.
import { Deed } from "../deeds.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { useData } from "../data.js";
import { Due, Empty, Facts, Heading, Meter, Panel, Shares, Status, Table, Time, Waiting } from "../parts.js";
import { ask, isTenant, may } from "../session.js";
import { useStanding } from "../standing.js";
import { href } from "../router.js";
import { useTenants } from "../tenants.js";
import { troubles } from "../troubles.js";
import { checkName, count, exchangeName, leafText, percent, plural, reasonText, span } from "../words.js";

export function Overview() {
  const standing = useStanding();
  const firing = useData(may("view_status") ? "alerts" : null, { state: "firing", limit: 100 }, { on: ["alert"] });
  const failing = useData("credentials", { verdict: "invalid", limit: 20 });
  const subjects = useData(isTenant() ? "performance/subjects" : null, { limit: 200 });
  const tenants = useTenants();
  const now = standing.data;
  if (!now) return html`<${Heading} title="Overview" /><${Waiting} error=${standing.error} />`;
  const wrong = troubles(now, { alerts: firing.data?.items ?? [], failing: failing.data?.items ?? [], subjects: subjects.data?.items ?? [] }, tenants.nameOf);
  return html`
    <${Heading} title="Overview" note=${html`As of <${Time} at=${now.at} />${standing.error ? " · the daemon does not answer at the moment" : ""}`}>
      ${may("trigger_manual") && html`<${SweepButton} sweep=${now.sweep} />`}
    <//>
    <${Figures} now=${now} />
    <div class="columns">
      <div class="stack main">
        <${Wrong} wrong=${wrong} ready=${failing.data} empty=${now.exchanges.length === 0} />
        <${Exchanges} items=${now.exchanges} />
      </div>
      <div class="stack">
        ${now.sweep && html`<${Sweep} sweep=${now.sweep} />`}
        <${Messages} now=${now} />
        <${Coming} now=${now} nameOf=${tenants.nameOf} />
        ${now.platform && html`<${Platform} platform=${now.platform} />`}
      </div>
    </div>
  `;
}

function Figures({ now }) {
  const sum = (name) => now.exchanges.reduce((total, one) => total + one[name], 0);
  const { alerts, messages } = now;
  const unheard = alerts && alerts.info + alerts.warning + alerts.critical + alerts.emergency;
  const waiting = messages.pending + messages.held + messages.parked;
  return html`
    <div class="figures">
      <${Figure} name="Keys" value=${count(sum("total"))} to=${href(["credentials"])}>
        <${Shares} label="Keys" parts=${[["ok", sum("valid"), "valid"], ["bad", sum("invalid"), "invalid"],
          ["unsure", sum("inconclusive"), "inconclusive"], ["none", sum("unchecked"), "not checked yet"]]} />
      <//>
      <${Figure} name="Failing keys" kind=${sum("invalid") ? "bad" : "ok"} value=${count(sum("invalid"))}
        to=${href(["credentials"], { verdict: "invalid" })}>of ${count(sum("total"))}, ${count(sum("inconclusive"))} inconclusive<//>
      ${alerts && html`<${Figure} name="Alerts firing" kind=${unheard ? (alerts.critical + alerts.emergency ? "bad" : "warn") : "ok"}
        value=${count(unheard)} to=${href(["alerts"])}>${count(alerts.critical + alerts.emergency)} critical · ${count(alerts.acknowledged)} acknowledged<//>`}
      <${Figure} name="Messages waiting" kind=${messages.held || messages.parked ? "warn" : "ok"} value=${count(waiting)}
        to=${href(["deliveries"])}>${count(messages.held)} held · ${count(messages.parked)} parked<//>
      <${Figure} name="Endpoints" kind=${now.endpoints.open_circuits ? "warn" : "ok"} value=${count(now.endpoints.total)}
        to=${may("configure") || isTenant() ? href(["endpoints"]) : null}>${plural(now.endpoints.open_circuits, "open circuit")}<//>
    </div>
  `;
}

function Figure({ name, value, kind = "none", to, children }) {
  const inside = html`<span class="name">${name}</span><span class="value num">${value}</span><span class="sub num">${children}</span>`;
  return to ? html`<a class="figure ${kind}" href=${to}>${inside}</a>` : html`<div class="figure ${kind}">${inside}</div>`;
}

function Wrong({ wrong, ready, empty }) {
  if (!ready) return html`<${Panel} title="What is wrong now" id="wrong"><${Waiting} /><//>`;
  if (empty) {
    return html`<${Panel} title="Begin here" id="wrong"><${Empty} icon="key" title="There is no key yet.">
      ${isTenant() ? "Ask your platform to store your exchange key; its state then stands here."
        : html`Store one with <code>alertd credentials put TENANT EXCHANGE readonly</code>, or in the secret store; it is found within minutes.`}<//><//>`;
  }
  if (!wrong.length) {
    return html`<${Panel} title="What is wrong now" id="wrong"><${Empty} icon="ok" title="Nothing is wrong.">
      ${isTenant() ? "Every key that could be asked about works, no message waits, and no account or strategy is in trouble." : "No alert fires, every key that could be asked about works, and no message waits."}<//><//>`;
  }
  return html`
    <${Panel} title="What is wrong now" id="wrong" aside=${html`<span class="num">${plural(wrong.length, "thing")}</span>`}>
      <ol class="wrong">${wrong.map((one) => html`
        <li key=${one.id} class=${one.kind}><a href=${one.to}>
          <${Icon} name=${one.kind} />
          <span class="what"><strong>${one.title}</strong><span>${one.text}</span></span>
          ${one.at && html`<span class="when num"><${Time} at=${one.at} /></span>`}
        </a></li>`)}
      </ol>
    <//>
  `;
}

function Exchanges({ items }) {
  if (!items.length) return null;
  const columns = [
    { name: "Exchange", cell: (one) => html`<a href=${href(["credentials"], { exchange: one.exchange })}><strong>${exchangeName(one.exchange)}</strong></a>` },
    { name: "Health", cell: (one) => html`<${Health} one=${one} />` },
    { name: "Keys", cell: (one) => html`<div class="with-bar"><span class="num">${count(one.valid)} of ${count(one.total)} valid</span>
        <${Shares} label=${exchangeName(one.exchange)} parts=${[["ok", one.valid, "valid"], ["bad", one.invalid, "invalid"],
          ["unsure", one.inconclusive, "inconclusive"], ["none", one.unchecked, "not checked yet"]]} /></div>` },
    ...(isTenant() ? [] : [{ name: "Checks a minute", cell: (one) => html`<${Budget} one=${one} />` }]),
    { name: "Next check", className: "right", cell: (one) => html`<${Due} at=${one.next_check_at} />` },
  ];
  return html`<${Panel} title="Exchanges" id="exchanges"><${Table} label="Exchanges" columns=${columns} items=${items} keyOf=${(one) => one.exchange} /><//>`;
}

function Health({ one }) {
  if (one.backed_off_until) {
    const rest = (Date.parse(one.backed_off_until) - Date.now()) / 1000;
    return html`<${Status} kind="warn" icon="pause">Left alone: ${reasonText(one.backed_off_reason).toLowerCase()}${rest >= 1 ? `, for another ${span(rest)}` : ""}<//>`;
  }
  const asked = one.total - one.unchecked;
  if (!asked) return html`<${Status} kind="wait">Not asked yet<//>`;
  if (one.inconclusive === asked) return html`<${Status} kind="unsure">No key could be judged<//>`;
  if (one.inconclusive) return html`<${Status} kind="unsure">${plural(one.inconclusive, "key")} not judged<//>`;
  return html`<${Status} kind="ok">Answers<//>`;
}

/** A check makes a request or two, so the budget that is used is at least this. */
function Budget({ one }) {
  const allowed = one.requests_per_second * 60;
  const used = one.checked_last_minute / allowed;
  return html`
    <div class="with-bar"><span class="num nowrap">${count(one.checked_last_minute)} <span class="faint">· budget ${count(allowed)}</span></span>
      <${Meter} value=${used} kind=${used > 0.9 ? "warn" : "info"} label="At least ${percent(used, 0)} of the request budget of ${exchangeName(one.exchange)}" /></div>
  `;
}

function SweepButton({ sweep }) {
  if (sweep?.state === "running") {
    return html`<${Deed} work=${() => ask(`sweeps/${sweep.id}/cancel`, { method: "POST" })} said="The sweep was cancelled.">Cancel the sweep<//>`;
  }
  return html`<${Deed} className="primary" work=${() => ask("sweeps", { method: "POST", body: {} })} said="A sweep of all keys began.">Check every key now<//>`;
}

const SWEEPS = { running: ["wait", "Running"], completed: ["ok", "Completed"], failed: ["bad", "Failed"], cancelled: ["none", "Cancelled"] };
const ORIGINS = { schedule: "Scheduled pass", api: "Sweep", command: "Sweep of the command line" };

function Sweep({ sweep }) {
  const [kind, word] = SWEEPS[sweep.state];
  const done = sweep.total ? sweep.checked / sweep.total : sweep.state === "completed" ? 1 : 0;
  return html`
    <${Panel} title=${sweep.state === "running" ? "Sweep" : "Last sweep"} id="sweep" aside=${html`<${Status} kind=${kind}>${word}<//>`}>
      <${Meter} value=${done} label="Sweep" kind=${sweep.state === "failed" ? "bad" : "info"} />
      <p class="num">${count(sweep.checked)} of ${count(sweep.total)} checked: ${count(sweep.valid)} valid, ${count(sweep.invalid)} invalid,
        ${" "}${count(sweep.inconclusive)} inconclusive${sweep.skipped ? `, ${count(sweep.skipped)} skipped` : ""}.</p>
      <p class="note">${ORIGINS[sweep.origin]}, began <${Time} at=${sweep.started_at} />${sweep.requested_by && sweep.origin !== "schedule" ? `, asked for by ${sweep.requested_by}` : ""}.
        ${sweep.error ? html` <span class="late">${sweep.error}</span>` : ""}</p>
    <//>
  `;
}

function Messages({ now }) {
  const { messages, endpoints } = now;
  const to = (state) => href(["deliveries"], { state });
  return html`
    <${Panel} title="Messages" id="messages" aside=${messages.oldest_due_at
      ? html`<${Status} kind="warn">oldest due <${Time} at=${messages.oldest_due_at} /><//>` : html`<${Status} kind="ok">none is late<//>`}>
      <${Facts} items=${[
        ["On their way", html`<a class="num" href=${to("pending")}>${count(messages.pending)}</a>`],
        ["Held for a person", html`<a class="num" href=${to("held")}>${count(messages.held)}</a>`],
        ["Parked at an endpoint", html`<a class="num" href=${to("parked")}>${count(messages.parked)}</a>`],
        ["Failed in the last day", html`<a class="num" href=${to("failed")}>${count(messages.failed_last_day)}</a>`],
        ["Circuits open", html`<span class="num">${count(endpoints.open_circuits)} of ${count(endpoints.total)}</span>`],
        ["Endpoints switched off", html`<span class="num">${count(endpoints.switched_off)}</span>`],
      ]} />
    <//>
  `;
}

function Coming({ now, nameOf }) {
  const runs = (now.schedules ?? []).filter((one) => one.next_runs.length && one.name !== "credential_health_check")
    .sort((a, b) => (a.next_runs[0] < b.next_runs[0] ? -1 : 1));
  if (!now.coming_checks.length && !runs.length) return null;
  return html`
    <${Panel} title="What comes next" id="coming">
      <ul class="coming">
        ${now.coming_checks.map((check) => html`
          <li key=${`${check.tenant_id}${check.exchange}${check.leaf}`}><${Icon} name="key" />
            <a href=${href(["credentials", check.tenant_id, check.exchange, check.leaf])}>${isTenant() ? exchangeName(check.exchange) : nameOf(check.tenant_id)}</a>
            <span class="faint">${isTenant() ? "" : `${exchangeName(check.exchange)} · `}${leafText(check.leaf)}</span><span class="num when"><${Due} at=${check.at} /></span></li>`)}
        ${runs.slice(0, 4).map((one) => html`
          <li key=${one.name}><${Icon} name="clock" /><a href=${href(["schedule"])}>${checkName(one.name)}</a><span></span>
            <span class="num when"><${Time} at=${one.next_runs[0]} /></span></li>`)}
      </ul>
    <//>
  `;
}

const NEEDS = { database: "the database", secret_store: "the secret store" };

function Platform({ platform }) {
  const away = (name) => platform.waiting_for.includes(name);
  const state = (good, yes, no) => html`<${Status} kind=${good ? "ok" : "bad"}>${good ? yes : no}<//>`;
  return html`
    <${Panel} title="The daemon" id="platform" aside=${state(!platform.waiting_for.length, "Ready",
      `Waits for ${platform.waiting_for.map((name) => NEEDS[name] ?? name).join(" and ")}`)}>
      <${Facts} items=${[
        ["Database", html`${state(!away("database"), "Answers", "Does not answer")} <span class="faint">${platform.database === "embedded" ? "embedded" : "PostgreSQL"}</span>`],
        ["Secret store", html`${state(platform.secret_store_usable, "Usable", "Not usable")} <span class="faint">${platform.secret_store}</span>`],
        ["Scheduler", state(platform.scheduler_running, "Running", "Stopped")],
        ["Version", html`<span class="num">${platform.version}</span>`],
      ]} />
    <//>
  `;
}
