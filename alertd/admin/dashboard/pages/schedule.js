// What runs at set times: the next runs, the last ones, and the switches.
import { useData, usePages } from "../data.js";
import { Deed, useDeed } from "../deeds.js";
import { html, useState } from "../html.js";
import { Choice, Code, Dialog, Empty, Exact, Foreign, Heading, Pager, Panel, Status, Table, Time, Waiting } from "../parts.js";
import { narrow } from "../router.js";
import { ask, may } from "../session.js";
import { useStanding } from "../standing.js";
import { CHECKS, checkName, plain, plural, span, visible } from "../words.js";

const SCHEDULE = "/api/performance-alerts/schedule";
const FREQUENCIES = { daily: "Every day", weekly: "Every week", monthly: "Every month", interval: "At an interval" };

export function Schedule({ query }) {
  const status = useData(`${SCHEDULE}/status`, {}, { every: 10_000 });
  const standing = useStanding();
  const [shown, setShown] = useState(null);
  const next = Object.fromEntries((standing.data?.schedules ?? []).map((one) => [one.name, one.next_runs]));
  const again = () => { status.refresh(); standing.refresh(); };
  return html`
    <${Heading} title="Schedule" note="Times are UTC. Each run happens once, however many daemons there are; one that was missed is made up for while it is young enough." />
    ${!status.data ? html`<${Waiting} error=${status.error} />`
      : html`<div class="cards">${status.data.data.scheduled_alerts.map((one) => html`<${Card} key=${one.name} one=${one} next=${next[one.name] ?? []} again=${again} show=${setShown} />`)}</div>`}
    <${History} query=${query} />
    ${shown && html`<${Shown} run=${shown} onClose=${() => setShown(null)} />`}
  `;
}

function Card({ one, next, again, show }) {
  const deed = useDeed();
  const trigger = (dry) => deed.run(async () => {
    const answer = await ask(`${SCHEDULE}/trigger/${one.name}`, { method: "POST", query: dry ? { dry: "true" } : {} });
    again();
    show(answer.data);
  });
  const flip = one.enabled ? "disable" : "enable";
  return html`
    <section class="panel card" aria-label=${checkName(one.name)}>
      <header><h2>${checkName(one.name)}</h2><div class="aside">${one.enabled ? html`<${Status} kind="ok">On<//>` : html`<${Status} kind="none">Off<//>`}</div></header>
      <p class="note">${FREQUENCIES[one.frequency] ?? plain(one.frequency)}${one.time_of_day ? ` at ${one.time_of_day}` : ""}${one.frequency === "interval" && next.length > 1 ? `: ${span((Date.parse(next[1]) - Date.parse(next[0])) / 1000)}` : ""}.
        ${" "}Up to ${plural(one.retry_config.max_attempts, "attempt")}.</p>
      <div class="two">
        <div><h3>Next runs</h3>${next.length ? html`<ol class="times">${next.map((at) => html`<li key=${at}><${Exact} at=${at} /></li>`)}</ol>` : html`<p class="faint">Switched off.</p>`}</div>
        <div><h3>Last runs</h3>${one.recent_executions.length ? html`<ol class="times">${one.recent_executions.map((run) => html`
          <li key=${run.execution_id} title=${run.error_message}><${Status} kind=${runKind(run)}><${Time} at=${run.completed_at ?? run.started_at} none="never began" /><//></li>`)}</ol>` : html`<p class="faint">None yet.</p>`}</div>
      </div>
      ${may("trigger_manual") && html`<div class="actions">
        <button type="button" class="small" disabled=${deed.busy} onClick=${() => trigger(false)}>Run now</button>
        <button type="button" class="small quiet" disabled=${deed.busy} onClick=${() => trigger(true)}>Dry run</button>
        ${may("enable_disable") && html`<${Deed} className="small quiet" said="${checkName(one.name)} switched ${one.enabled ? "off" : "on"}."
          work=${async () => { await ask(`${SCHEDULE}/${flip}/${one.name}`, { method: "POST" }); again(); }}>${one.enabled ? "Switch off" : "Switch on"}<//>`}
      </div>`}
    </section>
  `;
}

/** To have had too little data to judge by is no success, and nobody's fault. */
const withoutData = (run) => run.success === false && (run.error_message ?? "").startsWith("no data");
const runKind = (run) => (run.success === null ? "wait" : run.success ? "ok" : withoutData(run) ? "unsure" : "bad");

function Shown({ run, onClose }) {
  const seconds = (Date.parse(run.completed_at) - Date.parse(run.started_at)) / 1000;
  const word = run.success ? "It went well" : withoutData(run) ? "Not judged" : "It did not succeed";
  return html`
    <${Dialog} title="${checkName(run.name)}${run.dry ? ": dry run" : ""}" onClose=${onClose} wide>
      <p><${Status} kind=${runKind(run)}>${word}<//>${run.error_message ? html` <${Foreign} text=${run.error_message} />` : ""}</p>
      <p class="note">${run.dry ? "Evaluated only: nothing was stored, and nobody was told." : "Recorded in the history."} It took ${seconds < 1 ? "less than a second" : span(seconds)}.</p>
      ${run.result && html`<${Code}>${visible(JSON.stringify(run.result, null, 2))}<//>`}
      <div class="actions"><button type="button" class="primary" onClick=${onClose}>Close</button></div>
    <//>
  `;
}

const STATES = { running: "wait", succeeded: "ok", failed: "bad", missed: "warn", interrupted: "warn" };
const SOURCES = { schedule: "On time", catch_up: "Made up for", manual: "By hand" };

function History({ query }) {
  const pages = usePages("executions", { name: query.name, state: query.state, limit: 25 }, { every: 10_000 });
  const set = (change) => narrow({ ...query, ...change });
  const columns = [
    { name: "Check", className: "nowrap", cell: (run) => html`<strong>${checkName(run.name)}</strong>` },
    { name: "Due", cell: (run) => html`<${Exact} at=${run.scheduled_at} />` },
    { name: "State", cell: (run) => html`<${Status} kind=${run.success === false && run.state === "succeeded" ? "unsure" : STATES[run.state]}>${run.success === false && run.state === "succeeded" ? "No data" : plain(run.state)}<//>${run.missed_count > 1 ? html` <span class="num faint">× ${run.missed_count}</span>` : ""}` },
    { name: "How", cell: (run) => html`${SOURCES[run.source]}${run.requested_by ? html` <span class="faint">by <${Foreign} text=${run.requested_by} most="80" /></span>` : ""}` },
    { name: "Attempts", className: "right", cell: (run) => html`<span class="num">${run.attempt_count}</span>` },
    { name: "Said", className: "grow", cell: (run) => run.error_message && html`<${Foreign} text=${run.error_message} most="200" />` },
  ];
  return html`
    <${Panel} title="History" id="history" aside=${html`<div class="filters">
        <${Choice} label="Check" value=${query.name} options=${Object.entries(CHECKS)} onChange=${(value) => set({ name: value })} />
        <${Choice} label="State" value=${query.state} options=${Object.keys(STATES).map((name) => [name, plain(name)])} onChange=${(value) => set({ state: value })} /></div>`}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Empty} icon="clock" title="Nothing ran yet.">The first run is at the earliest of the times above${may("trigger_manual") ? ", or now: “Run now”" : ""}.<//>`
        : html`<${Table} label="Runs" columns=${columns} items=${pages.items} /><${Pager} pages=${pages} noun="runs" />`}
    <//>
  `;
}
