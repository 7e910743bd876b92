// The receivers: whether they answer, and what to do when one does not.
import { circuitStatus } from "../delivering.js";
import { usePages } from "../data.js";
import { Deed, useDeed } from "../deeds.js";
import { html, useState } from "../html.js";
import { Code, Dialog, Empty, Foreign, Heading, Pager, Panel, Status, Table, Time, Waiting } from "../parts.js";
import { href, narrow } from "../router.js";
import { ask, isTenant } from "../session.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { eventText, plural } from "../words.js";

export function Endpoints({ query }) {
  const tenants = useTenants();
  const pages = usePages("webhooks", { tenant_id: query.tenant_id, limit: 50 });
  const [open, setOpen] = useState(false);
  return html`
    <${Heading} title="Endpoints" note="Where tenants receive messages. After too many failures an endpoint's circuit opens: its messages wait, and it is tried now and then.">
      <button type="button" class="primary" onClick=${() => setOpen(true)}>Add an endpoint</button>
    <//>
    ${!isTenant() && html`<div class="filters"><${TenantChoice} value=${query.tenant_id} tenants=${tenants} onChange=${(value) => narrow({ tenant_id: value })} /></div>`}
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Empty} icon="plug" title="There is no endpoint${query.tenant_id ? " of this tenant" : " yet"}.">Add one: without it, nobody hears that a key fails.<//>`
        : html`<${Table} label="Endpoints" columns=${columns(tenants.nameOf, pages.refresh)} items=${pages.items} /><${Pager} pages=${pages} noun="endpoints" />`}
    <//>
    ${open && html`<${AddDialog} tenants=${tenants} tenantId=${query.tenant_id} onClose=${() => { setOpen(false); pages.refresh(); }} />`}
  `;
}

const columns = (nameOf, refresh) => [
  { name: "Address", className: "grow", cell: (one) => html`<strong class="url"><${Foreign} text=${one.url} most="120" /></strong>${one.description ? html`<span class="sub"><${Foreign} text=${one.description} most="120" /></span>` : ""}` },
  ...(isTenant() ? [] : [{ name: "Tenant", className: "tenant", cell: (one) => nameOf(one.tenant_id) }]),
  { name: "Hears", cell: (one) => (one.event_types.includes("*") || !one.event_types.length ? "Everything" : one.event_types.map(eventText).join(", ")) },
  { name: "State", cell: (one) => (one.is_active ? html`<${Status} kind="ok">On<//>` : html`<${Status} kind="none">Off${one.disabled_reason === "gone" ? ": it answered 410 Gone" : ""}<//>`) },
  { name: "Circuit", cell: (one) => html`${circuitStatus(one.circuit)}${one.circuit === "open" && one.circuit_until ? html`<span class="sub">next try <${Time} at=${one.circuit_until} /></span>` : ""}
      ${one.consecutive_failures ? html`<span class="sub num">${plural(one.consecutive_failures, "failure")} in a row</span>` : ""}` },
  { name: "", className: "right deeds", cell: (one) => html`<${Deeds} one=${one} refresh=${refresh} />` },
];

function Deeds({ one, refresh }) {
  const post = (deed) => async () => {
    const answer = await ask(`webhooks/${one.id}/${deed}`, { method: "POST" });
    refresh();
    return answer;
  };
  return html`
    <${Deed} className="small" disabled=${!one.is_active} work=${post("test")} said="A test message is on its way; see the deliveries.">Test<//>
    ${one.circuit !== "closed" && html`<${Deed} className="small" work=${post("reset")} said=${({ messages }) => `The circuit is closed; ${plural(messages, "message")} on the way.`}>Close the circuit<//>`}
    ${one.is_active
      ? html`<${Deed} className="small quiet" work=${post("disable")} said="Switched off: its messages wait.">Switch off<//>`
      : html`<${Deed} className="small quiet" work=${post("enable")} said=${({ messages }) => `Switched on; ${plural(messages, "message")} on the way.`}>Switch on<//>`}
    <a class="small" href=${href(["deliveries"], { webhook_id: one.id })}>Deliveries</a>
  `;
}

function AddDialog({ tenants, tenantId, onClose }) {
  const deed = useDeed();
  const [url, setUrl] = useState("");
  const [tenant, setTenant] = useState(tenantId ?? "");
  const [made, setMade] = useState(null);
  if (made) {
    return html`
      <${Dialog} title="The endpoint's secret" onClose=${onClose} wide>
        <p>With this the receiver verifies that a message is ours. <strong>It is shown this once.</strong></p>
        <${Code}>${made.secret}<//>
        ${made.notes.map((note) => html`<p class="note" key=${note}>${note}</p>`)}
        <div class="actions"><button type="button" class="primary" onClick=${onClose}>I have kept it</button></div>
      <//>
    `;
  }
  const submit = (event) => {
    event.preventDefault();
    deed.run(async () => setMade(await ask("webhooks", { method: "POST", body: { url: url.trim(), ...(isTenant() ? {} : { tenant_id: tenant }) } })), "The endpoint was added.");
  };
  return html`
    <${Dialog} title="Add an endpoint" onClose=${onClose}>
      <form onSubmit=${submit}>
        ${!isTenant() && html`<${TenantChoice} value=${tenant} tenants=${tenants} onChange=${setTenant} />`}
        <label class="field"><span>Address, https</span><input type="url" required placeholder="https://hooks.example.com/alertd" value=${url} onInput=${(event) => setUrl(event.currentTarget.value)} /></label>
        <p class="note">It is checked when it is saved and each time something is sent: no private or local addresses.</p>
        ${deed.error && html`<p class="why" role="alert">${deed.error}</p>`}
        <div class="actions"><button type="submit" class="primary" disabled=${deed.busy || (!isTenant() && !tenant)}>Add</button><button type="button" class="quiet" onClick=${onClose}>Cancel</button></div>
      </form>
    <//>
  `;
}
