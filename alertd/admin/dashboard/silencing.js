// A new silence, with a look at what it would cover before it is made.
import { alertTitle } from "./alerting.js";
import { useDeed } from "./deeds.js";
import { html, useEffect, useState } from "./html.js";
import { Dialog } from "./parts.js";
import { ask } from "./session.js";
import { useStanding } from "./standing.js";
import { useTenants } from "./tenants.js";
import { CHECKS, exchangeName, plural } from "./words.js";

const LABELS = [["tenant", "Tenant, by its id"], ["check", "Check"], ["subject", "Subject"], ["exchange", "Exchange"]];
const HOURS = [[0.5, "half an hour"], [1, "1 hour"], [4, "4 hours"], [12, "12 hours"], [24, "1 day"], [72, "3 days"], [168, "1 week"]];
const PAUSE = 350;

export function SilenceDialog({ wish, onClose }) {
  const deed = useDeed();
  const [fields, setFields] = useState({ tenant: "", check: "", subject: "", exchange: "", ...wish });
  const [comment, setComment] = useState("");
  const [hours, setHours] = useState(1);
  const matchers = given(fields);
  const known = {
    tenant: useTenants().known,
    check: Object.entries(CHECKS),
    exchange: (useStanding().data?.exchanges ?? []).map(({ exchange }) => [exchange, exchangeName(exchange)]),
  };
  const submit = (event) => {
    event.preventDefault();
    deed.run(async () => {
      const ends_at = new Date(Date.now() + hours * 3_600_000).toISOString();
      await ask("silences", { method: "POST", body: { matchers, comment: comment.trim(), ends_at } });
      onClose();
    }, "Silenced. What is found goes on being recorded.");
  };
  return html`
    <${Dialog} title="New silence" onClose=${onClose} wide>
      <p class="note">What fits every field that is filled in is recorded, and nobody is told. <code>*</code> stands for anything, commas for "or".</p>
      <form onSubmit=${submit}>
        <div class="grid pairs">${LABELS.map(([name, text]) => html`
          <label key=${name} class="field"><span>${text}</span><input type="text" value=${fields[name]} maxlength="200" spellcheck="false" autocomplete="off" list=${known[name] && `known-${name}`}
            onInput=${(event) => setFields({ ...fields, [name]: event.currentTarget.value })} />
            ${known[name] && html`<datalist id="known-${name}">${known[name].map(([id, called]) => html`<option key=${id} value=${id} label=${called}></option>`)}</datalist>`}</label>`)}
        </div>
        <${Preview} matchers=${matchers} />
        <div class="grid">
          <label class="field"><span>Why (needed)</span><input type="text" value=${comment} autofocus=${Object.keys(wish).length > 0} required maxlength="1000" autocomplete="off" onInput=${(event) => setComment(event.currentTarget.value)} /></label>
          <label class="field"><span>For how long</span><select value=${String(hours)} onChange=${(event) => setHours(Number(event.currentTarget.value))}>
            ${HOURS.map(([value, text]) => html`<option key=${value} value=${String(value)} selected=${value === hours}>${text}</option>`)}</select></label>
        </div>
        ${deed.error && html`<p class="why" role="alert">${deed.error}</p>`}
        <div class="actions"><button type="submit" class="primary" disabled=${deed.busy || !Object.keys(matchers).length || !comment.trim()}>Silence</button>
          <button type="button" class="quiet" onClick=${onClose}>Cancel</button></div>
      </form>
    <//>
  `;
}

function Preview({ matchers }) {
  const { nameOf } = useTenants();
  const [found, setFound] = useState(null);
  const body = JSON.stringify({ matchers });
  useEffect(() => {
    if (!Object.keys(matchers).length) return setFound(null);
    let here = true;
    const asked = setTimeout(async () => {
      try {
        const answer = await ask("silences/preview", { method: "POST", body: JSON.parse(body) });
        if (here) setFound(answer);
      } catch (error) {
        if (here) setFound({ error: error.message });
      }
    }, PAUSE);
    return () => { here = false; clearTimeout(asked); };
  }, [body]);
  return html`
    <div class="preview" role="status" aria-live="polite">
      ${!found ? html`<p>Fill in at least one field to see what it covers.</p>`
        : found.error ? html`<p class="why">${found.error}</p>`
        : html`<p><strong>It would cover ${plural(found.count, "alert")} that ${found.count === 1 ? "fires" : "fire"} now.</strong></p>
            <ul>${found.items.slice(0, 5).map((alert) => html`<li key=${alert.id}>${alertTitle(alert)} · ${nameOf(alert.tenant_id)}</li>`)}</ul>
            ${found.count > 5 ? html`<p class="note">and ${found.count - 5} more</p>` : ""}`}
    </div>
  `;
}

function given(fields) {
  const entries = Object.entries(fields).map(([name, text]) => [name, text.split(",").map((part) => part.trim()).filter(Boolean)]);
  return Object.fromEntries(entries.filter(([, values]) => values.length));
}
