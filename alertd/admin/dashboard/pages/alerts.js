// The alerts: what fires, what somebody looks after, what is silenced, what is over.
import { SEVERITIES, alertCheck, alertState, alertTitle, severityKind } from "../alerting.js";
import { AckDialog } from "../acknowledging.js";
import { SilenceDialog } from "../silencing.js";
import { usePages } from "../data.js";
import { html, useState } from "../html.js";
import { Badge, Choice, Empty, Heading, Pager, Panel, Status, Table, Tabs, Time, Waiting } from "../parts.js";
import { href, narrow } from "../router.js";
import { may } from "../session.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { CHECKS, exchangeName, plain } from "../words.js";

const VIEWS = {
  firing: { text: "Firing", state: "firing", fits: (alert) => !alert.acked_at && !alert.silenced_by },
  acknowledged: { text: "Acknowledged", state: "firing", fits: (alert) => Boolean(alert.acked_at) },
  silenced: { text: "Silenced", state: "firing", fits: (alert) => Boolean(alert.silenced_by) },
  pending: { text: "Pending", state: "pending", fits: () => true },
  resolved: { text: "Over", state: "resolved", fits: () => true },
  all: { text: "All", state: "", fits: () => true },
};

export function Alerts({ query }) {
  const tenants = useTenants();
  const [dialog, setDialog] = useState(null);
  const view = VIEWS[query.view] ? query.view : "firing";
  const { tenant_id, check, severity } = query;
  const pages = usePages("alerts", { state: VIEWS[view].state, tenant_id, check, severity, limit: 100 }, { on: ["alert"] });
  const set = (change) => narrow({ ...query, ...change });
  const items = pages.items?.filter((alert) => VIEWS[view].fits(alert));
  const count = (name) => (VIEWS[view].state === VIEWS[name].state && !pages.next && !pages.previous ? pages.items?.filter((alert) => VIEWS[name].fits(alert)).length : null);
  return html`
    <${Heading} title="Alerts" note="Each line is one thing that is wrong, from its first sign to its end.">
      ${may("enable_disable") && html`<button type="button" onClick=${() => setDialog({ silence: {} })}>New silence</button>`}
    <//>
    <${Tabs} label="Which alerts" value=${view} tabs=${Object.entries(VIEWS).map(([name, { text }]) => [name, text, VIEWS[name].state === "firing" ? count(name) : null])}
      hrefOf=${(name) => href(["alerts"], { ...query, view: name })} />
    <div class="filters">
      <${TenantChoice} value=${tenant_id} tenants=${tenants} onChange=${(value) => set({ tenant_id: value })} />
      <${Choice} label="Check" value=${check} options=${Object.entries(CHECKS)} onChange=${(value) => set({ check: value })} />
      <${Choice} label="Severity" value=${severity} options=${SEVERITIES.map((name) => [name, plain(name)])} onChange=${(value) => set({ severity: value })} />
    </div>
    <${Panel}>
      ${!items ? html`<${Waiting} error=${pages.error} />`
        : items.length === 0 && !pages.next ? html`<${Nothing} view=${view} />`
        : html`<${Table} label="Alerts" columns=${columns(tenants.nameOf, setDialog)} items=${items} rowClass=${(alert) => (alert.state === "resolved" ? "past" : "")} />
            <${Pager} pages=${pages} noun="alerts" />`}
    <//>
    ${dialog?.ack && html`<${AckDialog} alert=${dialog.ack} onClose=${() => { setDialog(null); pages.refresh(); }} />`}
    ${dialog?.silence && html`<${SilenceDialog} wish=${dialog.silence} onClose=${() => { setDialog(null); pages.refresh(); }} />`}
  `;
}

const WORDS = {
  firing: ["ok", "Nothing fires that nobody looks after.", "Acknowledged and silenced alerts have tabs of their own."],
  acknowledged: ["none", "Nobody looks after an alert at the moment.", "Acknowledge one, and it is not repeated until it is over."],
  silenced: ["none", "No alert is silenced.", "A silence keeps what fits it quiet for a while; what is found goes on being recorded."],
  pending: ["none", "Nothing was seen that does not fire yet.", ""],
  resolved: ["none", "No alert is over yet.", ""],
  all: ["ok", "There was no alert yet.", ""],
};

function Nothing({ view }) {
  const [icon, title, text] = WORDS[view];
  return html`<${Empty} icon=${icon} title=${title}>${text}<//>`;
}

const columns = (nameOf, setDialog) => [
  { name: "Severity", cell: (alert) => html`<${Status} kind=${severityKind(alert.severity)}>${plain(alert.severity)}<//>` },
  { name: "What", className: "grow", cell: (alert) => html`<a href=${href(["alerts", alert.id])}><strong>${alertTitle(alert)}</strong></a><span class="sub">${alertCheck(alert)}${alert.exchange ? ` · ${exchangeName(alert.exchange)}` : ""}</span>` },
  { name: "Tenant", className: "tenant", cell: (alert) => nameOf(alert.tenant_id) },
  { name: "State", cell: (alert) => {
    const [kind, text] = alertState(alert);
    return html`<${Status} kind=${kind === "hand" ? "info" : kind} icon=${kind}>${text}<//>${alert.silenced_by ? html` <${Badge}>Silenced<//>` : ""}${alert.flapping ? html` <${Badge} kind="warn">Comes and goes<//>` : ""}`;
  } },
  { name: "Since", className: "right", cell: (alert) => html`<${Time} at=${alert.started_at} />` },
  { name: "Last told", className: "right", cell: (alert) => html`<${Time} at=${alert.announced_at} none="nobody" />` },
  ...(may("trigger_manual") ? [{ name: "", className: "right deeds", cell: (alert) => html`
    ${alert.state === "firing" && !alert.acked_at ? html`<button type="button" class="small" onClick=${() => setDialog({ ack: alert })} aria-label="Acknowledge: ${alertTitle(alert)}">Acknowledge</button>` : ""}
    ${alert.state === "firing" && may("enable_disable") ? html`<button type="button" class="small quiet" onClick=${() => setDialog({ silence: wishOf(alert) })} aria-label="Silence: ${alertTitle(alert)}">Silence</button>` : ""}` }] : []),
];

/** The narrowest silence that covers this alert. */
export const wishOf = (alert) => ({ tenant: alert.tenant_id ?? "", check: alert.check, subject: alert.subject, exchange: alert.exchange ?? "" });
