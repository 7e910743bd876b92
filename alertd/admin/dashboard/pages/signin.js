// A key for a token. The key is sent once, and kept nowhere.
import { useDeed } from "../deeds.js";
import { html, useEffect, useRef } from "../html.js";
import { signIn, whyEnded } from "../session.js";

export function SignIn() {
  const deed = useDeed();
  const field = useRef(null);
  useEffect(() => {
    document.title = "Sign in · alertd";
    field.current.focus();
  }, []);
  const submit = (event) => {
    event.preventDefault();
    deed.run(async () => {
      try {
        await signIn(field.current.value.trim());
      } catch (problem) {
        throw problem.status === 401 ? Object.assign(new Error("This key is not accepted."), { status: 400 }) : problem;
      }
    });
  };
  const why = deed.error ?? whyEnded();
  return html`
    <main class="signin">
      <form onSubmit=${submit}>
        <p class="brand"><img src="/ui/icon.svg" alt="" width="34" height="34" /><span>alertd</span></p>
        <h1>Sign in</h1>
        <p class="note">with an API key. A tenant's key shows what is the tenant's own.</p>
        <label class="field"><span>API key</span>
          <input ref=${field} type="password" name="key" autocomplete="current-password" required spellcheck="false"
            aria-invalid=${deed.error ? "true" : undefined} aria-describedby=${why ? "why" : undefined} />
        </label>
        ${why && html`<p id="why" class="why" role="alert">${why}</p>`}
        <button type="submit" class="primary" disabled=${deed.busy}>${deed.busy ? "Signing in …" : "Sign in"}</button>
        <details><summary>Where is my key?</summary>
          <p>On its first start the daemon writes an admin key to <code>admin.key</code> in its state folder, usually
            <code>~/.local/state/alertd/</code> or <code>/var/lib/alertd/</code>. Further keys, also for tenants, are made with
            <code>alertd keys create</code> or <code>POST /api/v1/keys</code>.</p>
        </details>
      </form>
    </main>
  `;
}
