// One message to one endpoint: each attempt with its answer, and the bytes that are signed.
import { MEANINGS, attemptStatus, deliveryStatus, sourceBadge } from "../delivering.js";
import { useData } from "../data.js";
import { Deed } from "../deeds.js";
import { html } from "../html.js";
import { Code, Empty, Exact, Facts, Foreign, Heading, Panel, Time, Waiting } from "../parts.js";
import { href } from "../router.js";
import { ask, isTenant, may } from "../session.js";
import { useTenants } from "../tenants.js";
import { eventText, milliseconds, tryText, visible } from "../words.js";
import { replayable } from "./deliveries.js";

export function Delivery({ parts }) {
  const [id] = parts;
  const { nameOf } = useTenants();
  const path = `deliveries/${encodeURIComponent(id)}`;
  const delivery = useData(path, {}, { every: 5_000 });
  const addressed = (may("configure") || isTenant()) && delivery.data?.tenant_id; // what goes to operators has no endpoint
  const endpoint = useData(addressed ? `webhooks/${delivery.data.webhook_id}` : null, {}, { on: [] });
  if (!delivery.data) return html`<${Heading} title="Delivery" /><${Waiting} error=${delivery.error} />`;
  const found = delivery.data;
  return html`
    <${Heading} title=${eventText(found.event)} note=${html`to ${nameOf(found.tenant_id)} · <${Exact} at=${found.created_at} />`}>
      ${(may("configure") || isTenant()) && replayable(found) && html`
        <${Deed} className="primary" said="Queued again." work=${async () => { await ask(`${path}/replay`, { method: "POST" }); delivery.refresh(); }}>${found.state === "held" ? "Release" : "Send again"}<//>`}
    <//>
    <div class="columns">
      <div class="stack main">
        <${Panel} title="Attempts" id="attempts"><${Attempts} items=${found.attempts} /><//>
        <${Panel} title="Body" aside="Indented for reading; what is signed and sent has no line breaks." id="body"><${Code}>${pretty(found.body)}<//><//>
      </div>
      <div class="stack">
        <${Panel} title="State" id="state">
          <p class="headline">${deliveryStatus(found.state)} ${sourceBadge(found.source)}</p><p class="note">${MEANINGS[found.state]}</p>
          <${Facts} items=${[
            found.next_attempt_at && ["Next try", html`<${Time} at=${found.next_attempt_at} />`],
            ["Made", html`<${Time} at=${found.created_at} />`],
            found.finished_at && ["Ended", html`<${Time} at=${found.finished_at} />`],
            found.left_out > 0 && ["Stands for", html`<span class="num">${found.left_out} older</span>`],
            found.superseded_by && ["Instead of it went", html`<a href=${href(["deliveries", found.superseded_by])}>a newer message</a>`],
            ["Message", html`<code class="id">${found.event_id}</code>`],
            ["Endpoint", html`<a href=${href(["deliveries"], { webhook_id: found.webhook_id })}>${endpoint.data ? html`<${Foreign} text=${endpoint.data.url} most="200" />` : html`<code class="id">${found.webhook_id}</code>`}</a>`],
          ]} />
        <//>
      </div>
    </div>
  `;
}

function Attempts({ items }) {
  if (!items.length) return html`<${Empty} icon="wait" title="It was not tried yet." />`;
  return html`
    <ol class="timeline">${items.map((attempt, at) => html`
      <li key=${at}>
        <p class="head"><span class="num faint">${at + 1}</span>${attemptStatus(attempt)}<span class="num faint">${attempt.duration_ms === null ? "" : milliseconds(attempt.duration_ms)}</span>
          <span class="num when"><${Exact} at=${attempt.at} /></span></p>
        ${attempt.error && attempt.status === null && html`<p class="note">It did not arrive: ${tryText(attempt.error).toLowerCase()}.</p>`}
        ${attempt.response && html`<div class="answer"><span class="faint">The receiver answered:</span> <${Foreign} text=${attempt.response} /></div>`}
      </li>`)}
    </ol>
  `;
}

/** Indented for reading; what is no JSON is shown as it is. */
function pretty(body) {
  try {
    return visible(JSON.stringify(JSON.parse(body), null, 2));
  } catch {
    return visible(body);
  }
}
