// What nobody wants to hear of, until when, and why.
import { usePages } from "../data.js";
import { Deed } from "../deeds.js";
import { html, useState } from "../html.js";
import { Empty, Exact, Foreign, Heading, Pager, Panel, Status, Table, Tabs, Time, Waiting } from "../parts.js";
import { href } from "../router.js";
import { ask, may } from "../session.js";
import { SilenceDialog } from "../silencing.js";
import { useTenants } from "../tenants.js";
import { plain } from "../words.js";

const STATES = [["active", "Active"], ["pending", "To come"], ["expired", "Over"]];
const KINDS = { active: ["info", "mute"], pending: ["wait", "wait"], expired: ["none", "none"] };

export function Silences({ query }) {
  const state = STATES.some(([name]) => name === query.state) ? query.state : "active";
  const { nameOf } = useTenants();
  const pages = usePages("silences", { state, limit: 50 }, { on: ["alert"] });
  const [open, setOpen] = useState(false);
  return html`
    <${Heading} title="Silences" note="What fits a silence is found and recorded, and nobody is told. It ends by itself.">
      ${may("enable_disable") && html`<button type="button" class="primary" onClick=${() => setOpen(true)}>New silence</button>`}
    <//>
    <${Tabs} label="Which silences" value=${state} tabs=${STATES} hrefOf=${(name) => href(["silences"], { state: name })} />
    <${Panel}>
      ${!pages.items ? html`<${Waiting} error=${pages.error} />`
        : pages.items.length === 0 ? html`<${Empty} icon="mute" title="There is no ${{ active: "active silence", pending: "silence to come", expired: "silence that is over" }[state]}.">${state === "active" ? "Before planned work at an exchange or with a tenant, make one here." : ""}<//>`
        : html`<${Table} label="Silences" columns=${columns(nameOf, pages.refresh)} items=${pages.items} /><${Pager} pages=${pages} noun="silences" />`}
    <//>
    ${open && html`<${SilenceDialog} wish=${{}} onClose=${() => { setOpen(false); pages.refresh(); }} />`}
  `;
}

const columns = (nameOf, refresh) => [
  { name: "State", cell: (silence) => html`<${Status} kind=${KINDS[silence.state][0]} icon=${KINDS[silence.state][1]}>${plain(silence.state)}<//>` },
  { name: "What", className: "grow", cell: (silence) => html`<span class="stacked">${Object.entries(silence.matchers).map(([label, values]) => html`
      <span key=${label}><span class="faint">${label}</span> <${Foreign} text=${values.map((value) => (label === "tenant" && value.length === 36 ? nameOf(value) : value)).join(" or ")} most="200" /></span>`)}</span>` },
  { name: "Why", className: "grow", cell: (silence) => html`<${Foreign} text=${silence.comment} most="200" />` },
  { name: "By", cell: (silence) => html`<${Foreign} text=${silence.created_by} most="80" />` },
  { name: "From", cell: (silence) => html`<${Exact} at=${silence.starts_at} />` },
  { name: "Ends", cell: (silence) => html`<${Time} at=${silence.expired_at ?? silence.ends_at} />${silence.expired_by ? html`<span class="sub">ended by ${silence.expired_by}</span>` : ""}` },
  ...(may("enable_disable") ? [{ name: "", className: "right deeds", cell: (silence) => (silence.state === "expired" ? "" : html`
    <${Deed} className="small" said="The silence is over." work=${async () => { await ask(`silences/${silence.id}/expire`, { method: "POST" }); refresh(); }}>End now<//>`) }] : []),
];
