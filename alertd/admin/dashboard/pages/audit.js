// Who did what, when, and from where.
import { usePages } from "../data.js";
import { html, useState } from "../html.js";
import { Choice, Code, Dialog, Empty, Exact, Facts, Foreign, Heading, Only, Pager, Panel, Table, Waiting } from "../parts.js";
import { narrow } from "../router.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { DEEDS, deedName, visible } from "../words.js";

export function Audit({ query }) {
  const tenants = useTenants();
  const { action, tenant_id, actor } = query;
  const pages = usePages("audit", { action, tenant_id, actor, limit: 50 }, { every: 10_000 });
  const [shown, setShown] = useState(null);
  const set = (change) => narrow({ ...query, ...change });
  return html`
    <${Heading} title="Audit" note="What people did, and failed sign-ins. Nothing is ever changed here." />
    <div class="filters">
      <${Choice} label="Action" value=${action} options=${Object.entries(DEEDS)} onChange=${(value) => set({ action: value })} />
      <${TenantChoice} value=${tenant_id} tenants=${tenants} onChange=${(value) => set({ tenant_id: value })} />
      ${actor && html`<${Only} name="By" value=${actor} onDrop=${() => set({ actor: "" })} />`}
      ${(action || tenant_id || actor) && html`<button type="button" class="quiet" onClick=${() => narrow({})}>Show all</button>`}
    </div>
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Empty} icon="book" title="Nothing was done${action || tenant_id || actor ? " that fits" : " yet"}." />`
        : html`<${Table} label="Audit" columns=${columns(tenants.nameOf, setShown, set)} items=${pages.items} /><${Pager} pages=${pages} noun="deeds" />`}
    <//>
    ${shown && html`<${Shown} deed=${shown} onClose=${() => setShown(null)} />`}
  `;
}

const columns = (nameOf, setShown, set) => [
  { name: "When", cell: (deed) => html`<${Exact} at=${deed.at} />` },
  { name: "Who", cell: (deed) => html`<button type="button" class="link" onClick=${() => set({ actor: deed.actor })}><${Foreign} text=${deed.actor} most="80" /></button>` },
  { name: "What", className: "nowrap", cell: (deed) => html`<strong>${deedName(deed.action)}</strong>` },
  { name: "Tenant", className: "tenant", cell: (deed) => (deed.tenant_id ? nameOf(deed.tenant_id) : html`<span class="faint">–</span>`) },
  { name: "On", className: "grow", cell: (deed) => html`<code class="id"><${Foreign} text=${deed.object} most="100" /></code>` },
  { name: "From", cell: (deed) => deed.peer && html`<span class="num"><${Foreign} text=${deed.peer} most="60" /></span>` },
  { name: "", className: "right deeds", cell: (deed) => (deed.before || deed.after ? html`<button type="button" class="small quiet" onClick=${() => setShown(deed)} aria-label="Details: ${deedName(deed.action)}">Details</button>` : "") },
];

function Shown({ deed, onClose }) {
  const text = (value) => visible(JSON.stringify(value, null, 2));
  return html`
    <${Dialog} title=${deedName(deed.action)} onClose=${onClose} wide>
      <${Facts} items=${[["When", html`<${Exact} at=${deed.at} />`], ["Who", deed.actor], ["On", html`<code class="id">${deed.object}</code>`], deed.request_id && ["Request", html`<code class="id">${deed.request_id}</code>`]]} />
      ${deed.before && html`<h3>Before</h3><${Code}>${text(deed.before)}<//>`}
      ${deed.after && html`<h3>After</h3><${Code}>${text(deed.after)}<//>`}
      <div class="actions"><button type="button" class="primary" onClick=${onClose}>Close</button></div>
    <//>
  `;
}
