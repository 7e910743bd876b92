// The accounts and strategies, and whether each still does what it promised.
import { usePages } from "../data.js";
import { html } from "../html.js";
import { judged } from "../judging.js";
import { Choice, Empty, Foreign, Heading, Pager, Panel, Table, Waiting } from "../parts.js";
import { href, narrow } from "../router.js";
import { isTenant } from "../session.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { count, plain } from "../words.js";

export function Performance({ query }) {
  const tenants = useTenants();
  const { tenant_id, kind } = query;
  const pages = usePages("performance/subjects", { tenant_id, kind, limit: 50 });
  const set = (change) => narrow({ ...query, ...change });
  return html`
    <${Heading} title="Performance" note="Is each account and strategy still doing what it promised? Limits are exact; everything else is a test that says how often it is wrong." />
    <div class="filters">
      ${!isTenant() && html`<${TenantChoice} value=${tenant_id} tenants=${tenants} onChange=${(value) => set({ tenant_id: value })} />`}
      <${Choice} label="Kind" value=${kind} options=${[["account", "Accounts"], ["strategy", "Strategies"]]} onChange=${(value) => set({ kind: value })} />
    </div>
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Empty} icon="chart" title="There is no account and no strategy yet.">Send daily returns or equity with <code>alertd performance import FILE</code>
            or <code>POST /api/v1/performance/returns</code>; each appears with its first row.<//>`
        : html`<${Table} label="Accounts and strategies" columns=${columns(tenants.nameOf, pages.items)} items=${pages.items} /><${Pager} pages=${pages} noun="subjects" />`}
    <//>
  `;
}

const columns = (nameOf, items) => [
  { name: "Subject", cell: (one) => html`<a href=${href(["performance", one.id])}><strong><${Foreign} text=${one.subject} most="80" /></strong></a><span class="sub">${plain(one.kind)}${one.currency ? ` in ${one.currency}` : ""}</span>` },
  ...(isTenant() ? [] : [{ name: "Tenant", className: "tenant", cell: (one) => nameOf(one.tenant_id) }]),
  { name: "State", cell: (one) => judged(one.status) },
  ...(items.some((one) => one.waits_for) ? [{ name: "Waits for", className: "grow", cell: (one) => one.waits_for && html`<span class="faint">${one.waits_for.message}</span>` }] : []),
  { name: "Held against", cell: (one) => (one.reference ? html`${{ backtest: "Backtest", summary: "Summary", self: "Its own beginning" }[one.reference.kind] ?? plain(one.reference.kind)}<span class="sub num">${count(one.reference.days)} days</span>` : html`<span class="faint">nothing yet</span>`) },
  { name: "Live days", className: "right", cell: (one) => html`<span class="num">${count(one.live_days)}</span>` },
  { name: "Last day", className: "right", cell: (one) => html`<span class="num">${one.last_day ?? "–"}</span>` },
];
