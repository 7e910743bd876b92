// The stored keys as a list, narrowed by tenant, exchange, verdict and reason.
import { usePages } from "../data.js";
import { html } from "../html.js";
import { Badge, Choice, Due, Empty, Foreign, Heading, Pager, Panel, Table, Time, Waiting } from "../parts.js";
import { href, narrow } from "../router.js";
import { isTenant } from "../session.js";
import { useStanding } from "../standing.js";
import { TenantChoice } from "../tenantchoice.js";
import { useTenants } from "../tenants.js";
import { VERDICTS, verdictStatus } from "../verdicts.js";
import { REASONS, exchangeName, leafText, warningText } from "../words.js";

export function Credentials({ query }) {
  const tenants = useTenants();
  const exchanges = (useStanding().data?.exchanges ?? []).map((one) => one.exchange);
  const { tenant_id, exchange, verdict, reason } = query;
  const pages = usePages("credentials", { tenant_id, exchange, verdict, reason, limit: 50 });
  const set = (change) => narrow({ ...query, ...change });
  const narrowed = tenant_id || exchange || verdict || reason;
  return html`
    <${Heading} title="Credentials" note="The exchange keys that are on file, and what the last check said of each." />
    <div class="filters">
      ${!isTenant() && html`<${TenantChoice} value=${tenant_id} tenants=${tenants} onChange=${(value) => set({ tenant_id: value })} />`}
      <${Choice} label="Exchange" value=${exchange} options=${exchanges.map((id) => [id, exchangeName(id)])} onChange=${(value) => set({ exchange: value })} />
      <${Choice} label="Verdict" value=${verdict} options=${VERDICTS} onChange=${(value) => set({ verdict: value })} />
      <${Choice} label="Reason" value=${reason} options=${Object.entries(REASONS)} onChange=${(value) => set({ reason: value })} />
      ${narrowed && html`<button type="button" class="quiet" onClick=${() => narrow({})}>Show all</button>`}
    </div>
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Nothing} narrowed=${narrowed} />`
        : html`<${Table} label="Credentials" columns=${columns(tenants.nameOf)} items=${pages.items} /><${Pager} pages=${pages} noun="credentials" />`}
    <//>
  `;
}

const Nothing = ({ narrowed }) => (narrowed
  ? html`<${Empty} title="No key fits.">Choose less, or show all.<//>`
  : html`<${Empty} icon="key" title="There is no key yet.">Store one with <code>alertd credentials put</code>, or in the secret store: the daemon looks every few minutes.<//>`);

const nothingToSay = (key) => !key.warnings.length && !key.missing_since && (key.verdict !== "invalid" || key.endpoint_configured);

const link = (key, text) => html`<a href=${href(["credentials", key.tenant_id, key.exchange, key.leaf])}><strong>${text}</strong></a>`;

const columns = (nameOf) => [
  ...(isTenant() ? [] : [{ name: "Tenant", className: "tenant", cell: (key) => link(key, nameOf(key.tenant_id)) }]),
  { name: "Exchange", cell: (key) => (isTenant() ? link(key, exchangeName(key.exchange)) : exchangeName(key.exchange)) },
  { name: "Key", cell: (key) => html`<${Foreign} text=${leafText(key.leaf)} />` },
  { name: "State", cell: (key) => html`${verdictStatus(key)}${key.consecutive_failures > 1 ? html` <span class="faint num nowrap">× ${key.consecutive_failures}</span>` : ""}` },
  { name: "Warnings", cell: (key) => (nothingToSay(key) ? null : html`<span class="badges">${key.warnings.map((warning) => html`<${Badge} kind="warn">${warningText(warning)}<//>`)}
      ${key.verdict === "invalid" && !key.endpoint_configured ? html`<${Badge} kind="none">Nobody listens<//>` : ""}
      ${key.missing_since ? html`<${Badge} kind="none">Missing in the store<//>` : ""}</span>`) },
  { name: "Checked", className: "right", cell: (key) => html`<${Time} at=${key.last_checked_at} />` },
  { name: "Next check", className: "right", cell: (key) => html`<${Due} at=${key.next_check_at} />` },
];
