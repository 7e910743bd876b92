// To say that one looks after an alert.
import { alertTitle } from "./alerting.js";
import { useDeed } from "./deeds.js";
import { html, useRef } from "./html.js";
import { Dialog } from "./parts.js";
import { ask } from "./session.js";

export function AckDialog({ alert, onClose }) {
  const deed = useDeed();
  const comment = useRef(null);
  const submit = (event) => {
    event.preventDefault();
    deed.run(async () => {
      await ask(`alerts/${alert.id}/ack`, { method: "POST", body: { comment: comment.current.value.trim() } });
      onClose();
    }, "Acknowledged: it is not repeated until it is over.");
  };
  return html`
    <${Dialog} title="Acknowledge" onClose=${onClose}>
      <p>${alertTitle(alert)}</p>
      <form onSubmit=${submit}>
        <label class="field"><span>Comment, for whoever looks next (may stay empty)</span>
          <input ref=${comment} type="text" maxlength="1000" autocomplete="off" /></label>
        ${deed.error && html`<p class="why" role="alert">${deed.error}</p>`}
        <div class="actions"><button type="submit" class="primary" disabled=${deed.busy}>Acknowledge</button>
          <button type="button" class="quiet" onClick=${onClose}>Cancel</button></div>
      </form>
    <//>
  `;
}
