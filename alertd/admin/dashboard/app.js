// The frame around every page: who is signed in, where one can go, and whether news arrive.
import { Notes } from "./deeds.js";
import { Component, html, render, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { useData } from "./data.js";
import { liveState, onState, start } from "./live.js";
import { Empty } from "./parts.js";
import { current, isTenant, may, onSession, open, signOut } from "./session.js";
import { Standing } from "./standing.js";
import { nextTheme, theme } from "./theme.js";
import { href, usePlace } from "./router.js";
import { Alert } from "./pages/alert.js";
import { Alerts } from "./pages/alerts.js";
import { Audit } from "./pages/audit.js";
import { Credential } from "./pages/credential.js";
import { Credentials } from "./pages/credentials.js";
import { Deliveries } from "./pages/deliveries.js";
import { Delivery } from "./pages/delivery.js";
import { Endpoints } from "./pages/endpoints.js";
import { Overview } from "./pages/overview.js";
import { Performance } from "./pages/performance.js";
import { Schedule } from "./pages/schedule.js";
import { SignIn } from "./pages/signin.js";
import { Silences } from "./pages/silences.js";
import { Subject } from "./pages/subject.js";

const PAGES = [
  { path: "", name: "Overview", icon: "overview", page: Overview },
  { path: "credentials", name: "Credentials", icon: "key", page: Credentials, detail: Credential },
  { path: "alerts", name: "Alerts", icon: "bell", page: Alerts, detail: Alert, for: () => may("view_status") },
  { path: "silences", name: "Silences", icon: "mute", page: Silences, for: () => may("view_status") },
  { path: "deliveries", name: "Deliveries", icon: "send", page: Deliveries, detail: Delivery },
  { path: "endpoints", name: "Endpoints", icon: "plug", page: Endpoints, for: () => may("configure") || isTenant() },
  { path: "performance", name: "Performance", icon: "chart", page: Performance, detail: Subject },
  { path: "schedule", name: "Schedule", icon: "clock", page: Schedule, for: () => may("view_status") },
  { path: "audit", name: "Audit", icon: "book", page: Audit, for: () => may("admin") },
];

const LIVE = {
  off: ["none", "Not connected"],
  connecting: ["wait", "Connecting …"],
  live: ["ok", "Live"],
  lost: ["warn", "Reconnecting …"],
  full: ["wait", "Every 30 s"],
};

function Live() {
  const [state, setState] = useState(liveState());
  useEffect(() => {
    setState(liveState()); // it may have changed before anybody watched
    return onState(setState);
  }, []);
  const [icon, text] = LIVE[state];
  return html`<span class="live ${icon}" role="status"><${Icon} name=${icon} /><span>${text}</span></span>`;
}

function ThemeButton() {
  const [chosen, setChosen] = useState(theme());
  const icon = { auto: "auto", light: "sun", dark: "moon" }[chosen];
  return html`
    <button type="button" class="quiet small square" title="Colours: ${chosen}" aria-label="Colours: ${chosen}; change"
      onClick=${() => setChosen(nextTheme())}><${Icon} name=${icon} /></button>
  `;
}

function Bar({ user }) {
  return html`
    <header class="bar">
      <button type="button" class="skip" onClick=${() => document.querySelector("h1")?.focus()}>Skip to the content</button>
      <a class="brand" href="#/"><img src="/ui/icon.svg" alt="" width="22" height="22" /><span>alertd</span></a>
      <${Live} />
      <span class="who"><${Icon} name="hand" /><span>${user.username}</span>${user.roles.includes(user.username) ? "" : html`<span class="role">${user.roles.join(", ")}</span>`}</span>
      <${ThemeButton} />
      ${!open() && html`
        <button type="button" class="quiet small" aria-label="Sign out" onClick=${signOut}><${Icon} name="leave" /><span class="wide-only">Sign out</span></button>`}
    </header>
  `;
}

function Menu({ at, standing }) {
  const counts = numbers(standing.data);
  const menu = useRef(null);
  useEffect(() => {
    const strip = menu.current.querySelector("ul"); // on a phone it is wider than the screen
    const chosen = menu.current.querySelector("[aria-current]");
    if (chosen) strip.scrollLeft = chosen.offsetLeft - (strip.clientWidth - chosen.offsetWidth) / 2;
  }, [at]);
  return html`
    <nav class="side" aria-label="Pages" ref=${menu}>
      <ul>${allowed().map(({ path, name, icon }) => html`
        <li key=${path}><a href=${href(path ? [path] : [])} aria-current=${path === at ? "page" : undefined}>
          <${Icon} name=${icon} /><span>${name}</span>
          ${counts[path] ? html`<span class="count num" title=${counts[path].title}>${counts[path].number}</span>` : ""}
        </a></li>`)}
      </ul>
      <p class="version">alertd ${document.documentElement.dataset.version} · <a href="/openapi.json">API</a></p>
    </nav>
  `;
}

const allowed = () => PAGES.filter((page) => !page.for || page.for());

function numbers(standing) {
  if (!standing) return {};
  const invalid = standing.exchanges.reduce((sum, one) => sum + one.invalid, 0);
  const firing = standing.alerts && ["info", "warning", "critical", "emergency"].reduce((sum, name) => sum + standing.alerts[name], 0);
  const { pending, held, parked } = standing.messages;
  return {
    credentials: invalid && { number: invalid, title: "keys that fail" },
    alerts: firing && { number: firing, title: "alerts that nobody looks after" },
    deliveries: pending + held + parked && { number: pending + held + parked, title: "messages that wait" },
    endpoints: standing.endpoints.open_circuits && { number: standing.endpoints.open_circuits, title: "open circuits" },
  };
}

/** A page that breaks says so, and the others go on. */
class Guarded extends Component {
  static getDerivedStateFromError(error) {
    return { error };
  }

  render({ children }, { error }) {
    if (!error) return children;
    return html`<${Empty} icon="bad" title="This page broke."><span>${String(error.message ?? error)}. Reload it; if that does not help, the API has the same data.</span><//>`;
  }
}

function Page({ place }) {
  const [first = "", ...rest] = place.parts;
  const found = allowed().find((page) => page.path === first);
  const shown = found && (rest.length ? found.detail : found.page);
  const main = useRef(null);
  const name = place.parts.join("/");
  useEffect(() => {
    document.title = `${found?.name ?? "Not here"} · alertd`;
    scrollTo(0, 0);
    if (main.current.dataset.visited) main.current.querySelector("h1")?.focus({ preventScroll: true });
    main.current.dataset.visited = "yes";
  }, [name]);
  return html`
    <main id="main" ref=${main}><${Guarded} key=${name}>
      ${shown
        ? html`<${shown} parts=${rest} query=${place.query} />`
        : html`<${Empty} title="There is nothing here.">This page does not exist, or this key may not see it. <a href="#/">Go to the overview</a>.<//>`}
    <//></main>
  `;
}

function Frame() {
  const place = usePlace();
  const standing = useData("overview");
  return html`
    <${Standing.Provider} value=${standing}>
      ${open() && html`<p class="banner warn" role="note"><${Icon} name="warn" />Authentication is switched off: whoever reaches this address is an admin.</p>`}
      <${Bar} user=${current().user} />
      <div class="shell"><${Menu} at=${place.parts[0] ?? ""} standing=${standing} /><${Page} place=${place} /></div>
      <${Notes} />
    <//>
  `;
}

function App() {
  const [, again] = useState(0);
  useEffect(() => onSession(() => again((count) => count + 1)), []);
  const session = current();
  return session ? html`<${Frame} key=${session.token} />` : html`<${SignIn} />`;
}

start();
render(html`<${App} />`, document.getElementById("app"));
