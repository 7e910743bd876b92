// One alert: what is wrong, and why somebody was told of it, or was not, decision by decision.
import { alertCheck, alertState, alertTitle, severityKind, subjectPlace } from "../alerting.js";
import { AckDialog } from "../acknowledging.js";
import { useData } from "../data.js";
import { html, useState } from "../html.js";
import { Badge, Empty, Exact, Facts, Foreign, Heading, Panel, Status, Time, Waiting } from "../parts.js";
import { href } from "../router.js";
import { may } from "../session.js";
import { SilenceDialog } from "../silencing.js";
import { useTenants } from "../tenants.js";
import { count, eventText, exchangeName, milliseconds, plain } from "../words.js";
import { wishOf } from "./alerts.js";
import { Verdict } from "./credential.js";

export function Alert({ parts }) {
  const [id] = parts;
  const { nameOf } = useTenants();
  const alert = useData(`alerts/${encodeURIComponent(id)}`, {}, { on: ["alert"] });
  const why = useData(may("view_history") ? `alerts/${encodeURIComponent(id)}/explain` : null, {}, { on: ["alert", "event"] });
  const [dialog, setDialog] = useState(null);
  if (!alert.data) return html`<${Heading} title="Alert" /><${Waiting} error=${alert.error} />`;
  const found = alert.data;
  const close = () => { setDialog(null); alert.refresh(); why.refresh(); };
  return html`
    <${Heading} title=${alertTitle(found)} note=${html`${nameOf(found.tenant_id)}${found.exchange ? ` · ${exchangeName(found.exchange)}` : ""} · ${alertCheck(found)}`}>
      ${may("trigger_manual") && found.state === "firing" && !found.acked_at && html`<button type="button" class="primary" onClick=${() => setDialog("ack")}>Acknowledge</button>`}
      ${may("enable_disable") && found.state === "firing" && html`<button type="button" onClick=${() => setDialog("silence")}>Silence</button>`}
    <//>
    <div class="columns">
      <div class="stack main"><${What} found=${found} /><${Panel} title="What was decided, and why" id="why">
        ${!why.data ? html`<${Waiting} error=${why.error} />` : html`<${Timeline} decisions=${why.data.decisions} />`}
      <//></div>
      <div class="stack"><${State} found=${found}  /><${Details} found=${found} /></div>
    </div>
    ${dialog === "ack" && html`<${AckDialog} alert=${found} onClose=${close} />`}
    ${dialog === "silence" && html`<${SilenceDialog} wish=${wishOf(found)} onClose=${close} />`}
  `;
}

/** What is wrong: of a key as it stands now, of all else what the alert says. */
function What({ found }) {
  const place = subjectPlace(found);
  const key = useData(place ? place.map(encodeURIComponent).join("/") : null);
  if (key.data) return html`<${Verdict} found=${key.data} />`;
  const said = found.details?.message;
  if (!said) return null;
  const kind = found.state === "resolved" ? "ok" : severityKind(found.severity);
  return html`
    <section class="panel verdict ${kind}" aria-label="What was found">
      <p class="headline"><${Status} kind=${kind}>${found.state === "resolved" ? "Over" : plain(found.severity)}<//></p>
      <p><${Foreign} text=${said} /></p>
    </section>
  `;
}

function State({ found }) {
  const [kind, text] = alertState(found);
  const place = subjectPlace(found);
  return html`
    <${Panel} title="State" id="state">
      <${Facts} items=${[
        ["State", html`<${Status} kind=${kind === "hand" ? "info" : kind} icon=${kind}>${text}<//>${found.silenced_by ? html` <a href=${href(["silences"])}><${Badge}>Silenced<//></a>` : ""}`],
        ["Severity", html`<${Status} kind=${severityKind(found.severity)}>${plain(found.severity)}<//>`],
        ["First sign", html`<${Time} at=${found.started_at} />`],
        found.fired_at && ["Fired", html`<${Time} at=${found.fired_at} />`],
        found.resolved_at && ["Over", html`<${Time} at=${found.resolved_at} />`],
        ["Last told", html`<${Time} at=${found.announced_at} none="nobody was told" />`],
        found.held_count > 0 && ["Kept back since", html`<span class="num">${found.held_count}</span>`],
        found.escalates_at && !found.escalated_at && ["Escalates", html`<${Time} at=${found.escalates_at} />`],
        found.escalated_at && ["Escalated", html`<${Time} at=${found.escalated_at} />`],
        found.flapping && ["Comes and goes", "over only after a calm time"],
        found.acked_at && ["Looked after by", html`${found.acked_by}, <${Time} at=${found.acked_at} />`],
        found.ack_comment && ["Comment", html`<${Foreign} text=${found.ack_comment} />`],
      ]} />
      ${place && html`<p><a href=${href(place)}>See the key</a></p>`}
      ${!place && found.tenant_id && html`<${ItsSubject} found=${found} />`}
    <//>
  `;
}

/** The account or strategy, which the alert knows by name. */
function ItsSubject({ found }) {
  const subjects = useData("performance/subjects", { tenant_id: found.tenant_id, limit: 200 }, { on: [] });
  const subject = subjects.data?.items.find((one) => one.subject === found.subject);
  return subject
    ? html`<p><a href=${href(["performance", subject.id])}>See the ${subject.kind}</a></p>`
    : html`<p><a href=${href(["performance"], { tenant_id: found.tenant_id })}>See the tenant's performance</a></p>`;
}

function Details({ found }) {
  if (subjectPlace(found)) return null; // its key's page says more
  const items = Object.entries(found.details ?? {}).filter(([name]) => name !== "message").map(([name, value]) => [plain(name), written(value)]);
  return items.length ? html`<${Panel} title="Details" id="details"><${Facts} items=${items} /><//>` : null;
}

function written(value) {
  if (typeof value === "number") return html`<span class="num">${count(value)}</span>`;
  return html`<${Foreign} text=${typeof value === "object" && value !== null ? JSON.stringify(value) : String(value)} />`;
}

const DECISIONS = {
  pending: "wait", fired: "bad", raised: "bad", unheard: "warn", reminded: "info", flapping: "warn", muted: "mute", silenced: "mute",
  inhibited: "mute", repeated: "mute", sent: "send", put_off: "wait", held: "pause", parked: "pause", unwanted: "none", acked: "hand",
  escalated: "bad", subsided: "ok", resolved: "ok",
};
const NAMES = { acked: "Acknowledged", unwanted: "Nobody listens", unheard: "Reached nobody", repeated: "Not repeated" };
const SENT = { delivered: "ok", failed: "bad", pending: "wait", held: "pause", parked: "pause", superseded: "none" };

function Timeline({ decisions }) {
  if (!decisions.length) return html`<${Empty} icon="none" title="Nothing was decided yet." />`;
  return html`
    <ol class="timeline">${decisions.map((one, at) => html`
      <li key=${at} class=${one.decision}>
        <p class="head"><${Status} kind="plain" icon=${DECISIONS[one.decision] ?? "info"}>${NAMES[one.decision] ?? plain(one.decision)}<//><span class="num when"><${Exact} at=${one.at} /></span></p>
        <p><${Foreign} text=${one.text} /></p>
        ${one.repeats > 1 && html`<p class="note num">${one.repeats} times in a row, last <${Time} at=${one.last_at} /></p>`}
        ${one.delivery && html`<${Sending} one=${one} />`}
      </li>`)}
    </ol>
  `;
}

function Sending({ one }) {
  const { delivery } = one;
  const last = delivery.last_attempt;
  return html`
    <p class="note">${delivery.state && html`<${Status} kind=${SENT[delivery.state] === "pause" ? "warn" : SENT[delivery.state]} icon=${SENT[delivery.state]}>${plain(delivery.state)}<//>`}
      ${" "}<a href=${href(["deliveries", delivery.id])}>${eventText(one.event)}</a>
      ${last ? html` · <span class="num">${last.status ?? plain(last.error)}${last.duration_ms === null ? "" : ` in ${milliseconds(last.duration_ms)}`}</span>` : ""}
      ${delivery.next_attempt_at ? html` · next try <${Time} at=${delivery.next_attempt_at} />` : ""}</p>
  `;
}
