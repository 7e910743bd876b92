// Every message on its way to an endpoint, and how that went.
import { STATES, attemptStatus, deliveryStatus, sourceBadge } from "../delivering.js";
import { usePages } from "../data.js";
import { Deed, useDeed } from "../deeds.js";
import { html, useState } from "../html.js";
import { Choice, Dialog, Empty, Heading, Only, Pager, Panel, Table, Time, Waiting } from "../parts.js";
import { href, narrow } from "../router.js";
import { ask, isTenant, may } from "../session.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { EVENTS, eventText, plain, plural } from "../words.js";

const again = () => may("configure") || isTenant();

export function Deliveries({ query }) {
  const tenants = useTenants();
  const { tenant_id, state, event, webhook_id } = query;
  const pages = usePages("deliveries", { tenant_id, state, event, webhook_id, limit: 50 });
  const [open, setOpen] = useState(false);
  const set = (change) => narrow({ ...query, ...change });
  const narrowed = tenant_id || state || event || webhook_id;
  return html`
    <${Heading} title="Deliveries" note="Messages on their way to endpoints, the newest first, with every attempt.">
      ${again() && html`<button type="button" onClick=${() => setOpen(true)}>Send many again</button>`}
    <//>
    <div class="filters">
      ${!isTenant() && html`<${TenantChoice} value=${tenant_id} tenants=${tenants} onChange=${(value) => set({ tenant_id: value })} />`}
      <${Choice} label="State" value=${state} options=${STATES.map((name) => [name, plain(name)])} onChange=${(value) => set({ state: value })} />
      <${Choice} label="Message" value=${event} options=${Object.entries(EVENTS)} onChange=${(value) => set({ event: value })} />
      ${webhook_id && html`<${Only} name="Endpoint" value=${webhook_id} onDrop=${() => set({ webhook_id: "" })} />`}
      ${narrowed && html`<button type="button" class="quiet" onClick=${() => narrow({})}>Show all</button>`}
    </div>
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Nothing} narrowed=${narrowed} />`
        : html`<${Table} label="Deliveries" columns=${columns(tenants.nameOf, pages.refresh)} items=${pages.items} /><${Pager} pages=${pages} noun="deliveries" />`}
    <//>
    ${open && html`<${ReplayDialog} query=${query} onClose=${() => { setOpen(false); pages.refresh(); }} />`}
  `;
}

const Nothing = ({ narrowed }) => (narrowed
  ? html`<${Empty} title="No message fits.">Choose less, or show all.<//>`
  : html`<${Empty} icon="send" title="No message was sent yet.">Messages go out when a key fails and an endpoint listens. ${again() ? html`<a href=${href(["endpoints"])}>Look at the endpoints</a>, and send a test.` : ""}<//>`);

const columns = (nameOf, refresh) => [
  { name: "Message", className: "grow", cell: (one) => html`<a href=${href(["deliveries", one.id])}><strong>${eventText(one.event)}</strong></a> ${sourceBadge(one.source)}` },
  ...(isTenant() ? [] : [{ name: "Tenant", className: "tenant", cell: (one) => nameOf(one.tenant_id) }]),
  { name: "State", cell: (one) => deliveryStatus(one.state) },
  { name: "Last answer", cell: (one) => (one.attempts.length ? attemptStatus(one.attempts.at(-1)) : html`<span class="faint">not tried yet</span>`) },
  { name: "Attempts", className: "right", cell: (one) => html`<span class="num">${one.attempts.length}</span>` },
  { name: "Made", className: "right", cell: (one) => html`<${Time} at=${one.created_at} />` },
  { name: "Ended", className: "right", cell: (one) => (one.finished_at ? html`<${Time} at=${one.finished_at} />` : one.next_attempt_at ? html`<span>next try <${Time} at=${one.next_attempt_at} /></span>` : html`<span class="faint">–</span>`) },
  ...(again() ? [{ name: "", className: "right deeds", cell: (one) => (replayable(one) ? html`
    <${Deed} className="small" said="Queued again." work=${async () => { await ask(`deliveries/${one.id}/replay`, { method: "POST" }); refresh(); }}>${one.state === "held" ? "Release" : "Send again"}<//>` : "") }] : []),
];

/** What is over or held may go again; what is held only the operators release. */
export const replayable = ({ state }) => ["failed", "delivered", "superseded"].includes(state) || (state === "held" && !isTenant());

const HOURS = [[1, "the last hour"], [6, "the last 6 hours"], [24, "the last day"], [168, "the last week"]];

function ReplayDialog({ query, onClose }) {
  const deed = useDeed();
  const [hours, setHours] = useState(24);
  const [state, setState] = useState("failed");
  const states = [["failed", "Failed"], ["delivered", "Delivered"], ["superseded", "Superseded"], ...(isTenant() ? [] : [["held", "Held"]])];
  const submit = (event) => {
    event.preventDefault();
    deed.run(async () => {
      const since = new Date(Date.now() - hours * 3_600_000).toISOString();
      const body = { since, state, ...(query.tenant_id ? { tenant_id: query.tenant_id } : {}), ...(query.event ? { event: query.event } : {}), ...(query.webhook_id ? { webhook_id: query.webhook_id } : {}) };
      const answer = await ask("deliveries/replay", { method: "POST", body });
      onClose();
      return answer;
    }, ({ queued }) => `${plural(queued, "message")} queued again.`);
  };
  return html`
    <${Dialog} title="Send many again" onClose=${onClose}>
      <p class="note">The messages keep their ids, so a receiver that has seen one knows it. ${query.tenant_id || query.event || query.webhook_id ? "Only those that the page is narrowed to." : isTenant() ? "" : "Those of all tenants."}</p>
      <form onSubmit=${submit}>
        <div class="grid"><${Choice} label="State" all=${null} value=${state} options=${states} onChange=${setState} />
          <${Choice} label="Made within" all=${null} value=${String(hours)} options=${HOURS.map(([value, text]) => [String(value), text])} onChange=${(value) => setHours(Number(value))} /></div>
        ${deed.error && html`<p class="why" role="alert">${deed.error}</p>`}
        <div class="actions"><button type="submit" class="primary" disabled=${deed.busy}>Send again</button><button type="button" class="quiet" onClick=${onClose}>Cancel</button></div>
      </form>
    <//>
  `;
}
