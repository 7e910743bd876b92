// One key: what is wrong and what to do, its rights, and its last checks.
import { HistoryBar } from "../history.js";
import { useDeed } from "../deeds.js";
import { useData, usePages } from "../data.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Badge, Due, Empty, Exact, Facts, Foreign, Heading, Pager, Panel, Status, Table, Time, Waiting } from "../parts.js";
import { href } from "../router.js";
import { ask, isTenant, may } from "../session.js";
import { useTenants } from "../tenants.js";
import { KINDS, verdictStatus } from "../verdicts.js";
import { exchangeName, leafText, milliseconds, plain, reasonText, warningText } from "../words.js";

export function Credential({ parts }) {
  const tenants = useTenants();
  const path = `credentials/${parts.map(encodeURIComponent).join("/")}`;
  const key = useData(parts.length === 3 ? path : null);
  const past = useData(parts.length === 3 ? `${path}/history` : null, { limit: 90 });
  if (!key.data) {
    return html`<${Heading} title="Credential" /><${Waiting} error=${parts.length === 3 ? key.error : { status: 404, message: "There is no such credential." }} />`;
  }
  const found = key.data;
  const again = () => { key.refresh(); past.refresh(); };
  return html`
    <${Heading} title="${exchangeName(found.exchange)} · ${leafText(found.leaf)}" note=${html`<a href=${href(["credentials"], { tenant_id: found.tenant_id })}>${tenants.nameOf(found.tenant_id)}</a>`}>
      ${(may("trigger_manual") || isTenant()) && !found.retired_at && html`<${CheckNow} found=${found} again=${again} />`}
    <//>
    ${found.retired_at && html`<p class="banner none"><${Icon} name="none" />Deleted in the secret store <${Time} at=${found.retired_at} />; it is checked no more, and its history stays.</p>`}
    <div class="columns">
      <div class="stack main">
        <${Verdict} found=${found} />
        <${Panel} title="Last checks" id="past">
          ${!past.data ? html`<${Waiting} error=${past.error} />` : html`<${HistoryBar} checks=${past.data.items} />`}
          <${Checks} path=${path} />
        <//>
      </div>
      <div class="stack">
        <${Rights} found=${found} />
        <${Panel} title="Times" id="times"><${Facts} items=${[
          ["Last check", html`<${Time} at=${found.last_checked_at} />${found.duration_ms === null ? "" : html` <span class="faint num">in ${milliseconds(found.duration_ms)}</span>`}`],
          ["Next check", found.retired_at ? "None" : html`<${Due} at=${found.next_check_at} />`],
          ["Last success", html`<${Time} at=${found.last_success_at} />`],
          found.first_failure_at && ["Fails since", html`<${Time} at=${found.first_failure_at} />`],
          ["On file since", html`<${Time} at=${found.created_at} />`],
        ]} /><//>
      </div>
    </div>
  `;
}

function CheckNow({ found, again }) {
  const deed = useDeed();
  const check = () => deed.run(async () => {
    const answer = await ask(`credentials/${found.tenant_id}/check`, {
      method: "POST",
      body: { exchange: found.exchange, credential_type: found.credential_type, label: found.label },
    });
    again();
    return answer.items[0];
  }, (item) => `Checked: ${reasonText(item?.reason).toLowerCase()}.`);
  return html`<button type="button" class="primary" disabled=${deed.busy} onClick=${check}>${deed.busy ? "Asking the exchange …" : "Check now"}</button>`;
}

/** How a key stands, and what to do about it. */
export function Verdict({ found }) {
  const kind = KINDS[found.verdict] ?? "wait";
  return html`
    <section class="panel verdict ${kind}" aria-label="The last check">
      <p class="headline">${verdictStatus(found)}${found.consecutive_failures ? html`<span class="num faint">${found.consecutive_failures} in a row</span>` : ""}
        ${found.alerting ? html`<${Badge} kind="bad">Announced<//>` : ""}</p>
      ${found.error && html`<p>${found.error}</p>`}
      ${found.what_to_do && html`<p class="todo"><strong>What to do:</strong> ${found.what_to_do}</p>`}
      ${found.verdict === "valid" && !found.warnings.length ? html`<p class="note">The exchange accepts this key, and it may do nothing that it should not.</p>` : ""}
      ${found.verdict === "inconclusive" ? html`<p class="note">Nobody can tell at the moment, so nobody is accused. It is tried again.</p>` : ""}
      ${!found.endpoint_configured && html`<p class="note"><${Icon} name="warn" />No endpoint of this tenant listens: nobody is told when this key fails.</p>`}
      ${found.code && html`<p class="note">Code of the exchange: <code>${found.code}</code></p>`}
    </section>
  `;
}

const RIGHTS = [["read", "Read"], ["trade", "Trade"], ["withdraw", "Withdraw"], ["transfer", "Transfer"], ["ip_restricted", "Tied to addresses"]];
const RISKY = { withdraw: "can_withdraw", transfer: "can_withdraw", trade: "readonly_can_trade", ip_restricted: "no_ip_restriction" };

function Rights({ found }) {
  const { permissions, warnings } = found;
  const kindOf = (name) => {
    const value = permissions[name];
    const risky = warnings.includes(RISKY[name]) && value !== null && (name === "ip_restricted" ? !value : value);
    if (risky) return "warn";
    return value === null ? "faint" : "";
  };
  const wordOf = (name) => ({ true: "Yes", false: "No", null: "Not told" })[String(permissions[name])];
  return html`
    <${Panel} title="Rights" id="rights">
      <${Facts} items=${[
        ...RIGHTS.map(([name, text]) => [text, kindOf(name) === "warn" ? html`<${Status} kind="warn">${wordOf(name)}<//>` : html`<span class=${kindOf(name)}>${wordOf(name)}</span>`]),
        ["Expires", permissions.expires_at ? html`<${Time} at=${permissions.expires_at} /> <${Exact} at=${permissions.expires_at} />` : "Never, or not told"],
      ]} />
      ${warnings.length > 0 && html`<p class="badges">${warnings.map((warning) => html`<${Badge} kind="warn">${warningText(warning)}<//>`)}</p>`}
    <//>
  `;
}

function Checks({ path }) {
  const pages = usePages(`${path}/history`, { limit: 10 });
  if (!pages.items) return null;
  if (!pages.items.length) return html`<${Empty} icon="wait" title="It was not checked yet.">New keys are checked within minutes.<//>`;
  const columns = [
    { name: "Checked", cell: (check) => html`<${Exact} at=${check.checked_at} />` },
    { name: "Result", cell: (check) => verdictStatus(check) },
    { name: "Code", cell: (check) => check.code && html`<${Foreign} text=${check.code} />` },
    { name: "Took", className: "right", cell: (check) => html`<span class="num">${milliseconds(check.duration_ms)}</span>` },
    { name: "Told", className: "right", cell: (check) => (check.webhook_sent ? html`<${Status} kind="ok">${check.webhook_sent_at ? html`<${Time} at=${check.webhook_sent_at} />` : plain("sent")}<//>` : null) },
  ];
  return html`<${Table} label="Checks of this key" columns=${columns} items=${pages.items} /><${Pager} pages=${pages} noun="checks" />`;
}
