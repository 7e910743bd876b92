// Which tenant: by name among those that are known, or by id.
import { html, useEffect, useState } from "./html.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function TenantChoice({ value, tenants, onChange }) {
  const called = value ? tenants.nameOf(value) : "";
  const [text, setText] = useState(called);
  const choose = (typed) => {
    setText(typed);
    const wanted = typed.trim();
    const found = tenants.known.find(([, name]) => name.toLowerCase() === wanted.toLowerCase());
    if (wanted === "") onChange("");
    else if (found) onChange(found[0]);
    else if (ID.test(wanted)) onChange(wanted);
  };
  useEffect(() => setText(called), [called]);
  useEffect(() => {
    if (text && text !== called) choose(text); // typed before the names were there
  }, [tenants.known.length]);
  return html`
    <label class="field"><span>Tenant</span>
      <input type="search" list="tenants" placeholder="Name or id" value=${text} spellcheck="false" autocomplete="off"
        onInput=${(event) => choose(event.currentTarget.value)} />
      <datalist id="tenants">${tenants.known.map(([id, name]) => html`<option key=${id} value=${name}></option>`)}</datalist>
    </label>
  `;
}
