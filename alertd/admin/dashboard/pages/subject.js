// One account or strategy: its curves against what was promised, each with a sentence that says what it means.
import { Chart } from "../chart.js";
import { useData } from "../data.js";
import { html } from "../html.js";
import { OUTLOOKS, byLoudness, judged } from "../judging.js";
import { Empty, Facts, Foreign, Heading, Panel, Status, Time, Waiting } from "../parts.js";
import { href } from "../router.js";
import { useTenants } from "../tenants.js";
import { checkName, count, percent, plain, ruleName } from "../words.js";

const WINDOW = 90; // days of the rolling Sharpe ratio: shorter ones are noise
const YEAR = 365;

const signed = (ratio) => `${ratio > 0 ? "+" : ""}${percent(ratio)}`;
const tenths = (value) => value.toFixed(1);
const hundredths = (value) => value.toFixed(2);

export function Subject({ parts }) {
  const { nameOf } = useTenants();
  const subject = useData(`performance/subjects/${encodeURIComponent(parts[0])}`, { days: 730 }, { every: 60_000 });
  if (!subject.data) return html`<${Heading} title="Performance" /><${Waiting} error=${subject.error} />`;
  const found = subject.data;
  const findings = Object.fromEntries(found.checks.flatMap((check) => check.findings.map((finding) => [finding.rule, finding])));
  const days = found.days.filter((one) => one.usable);
  return html`
    <${Heading} title=${html`<${Foreign} text=${found.subject} most="80" />`} note=${html`<a href=${href(["performance"], { tenant_id: found.tenant_id })}>${nameOf(found.tenant_id)}</a> · ${plain(found.kind)}${found.currency ? ` in ${found.currency}` : ""} · ${count(found.live_days)} live days`}>
      ${judged(found.status)}<button type="button" onClick=${() => print()}>Print</button>
    <//>
    <div class="columns">
      <div class="stack main">
        ${days.length < 2
          ? html`<${Panel} title="Curves" id="curves"><${Empty} icon="chart" title="There are not two days yet.">The curves begin with the second daily return.<//><//>`
          : html`<${Cumulative} found=${found} days=${days} findings=${findings} /><${Drawdown} found=${found} days=${days} findings=${findings} />
              <${Drift} found=${found} days=${days} findings=${findings} /><${Stability} found=${found} days=${days} findings=${findings} />`}
      </div>
      <div class="stack"><${Judgements} checks=${found.checks} /><${Reference} found=${found} /><${About} found=${found} /></div>
    </div>
  `;
}

/** The finding's own sentence, or what is meant while there is none. */
function Meaning({ finding, children }) {
  return html`<p class="meaning">${finding ? html`${judged(finding.status)} <span>${finding.message}</span>` : html`<span class="faint">${children}</span>`}</p>`;
}

function Cumulative({ found, days, findings }) {
  const live = days.map((one) => [one.date, one.cumulative]);
  const expected = days.filter((one) => one.expected !== null).map((one) => [one.date, one.expected]);
  const ahead = found.cone.slice(0, Math.max(30, Math.round(days.length / 2))); // more would crowd out what happened
  const cone = ahead.map((one) => [one.date, one.critical, one.expected]);
  const lines = [
    { kind: "live", name: "Cumulative return", points: live },
    { kind: "expected", name: "Expected so far", points: expected },
    { kind: "ahead", name: "Expected from here", points: ahead.map((one) => [one.date, one.expected]) },
    { kind: "warning", name: "1 in 20 healthy ones fall below", points: ahead.map((one) => [one.date, one.warning]) },
  ];
  return html`
    <${Panel} title="Return against what is expected" id="cumulative">
      <${Chart} lines=${lines} band=${cone.length ? { name: "cone: 1 in 100 healthy ones ever leave it", points: cone } : null} format=${signed}
        label="Cumulative return ${signed(live.at(-1)[1])}${expected.length ? `, expected ${signed(expected.at(-1)[1])}` : ""}" />
      <${Meaning} finding=${findings.cone ?? findings.pnl_deviation}>Without a reference nothing is expected; this is what was earned.<//>
    <//>
  `;
}

function Drawdown({ found, days, findings }) {
  const finding = findings.drawdown;
  const points = days.map((one) => [one.date, -one.drawdown]);
  const warning = found.limits.drawdown_warning_percent ?? finding?.high ?? null;
  const critical = found.limits.drawdown_critical_percent ?? wholeLimit(finding);
  const levels = [warning !== null && { kind: "warning", name: "warning", value: -warning / 100 }, critical !== null && { kind: "critical", name: "critical", value: -critical / 100 }].filter(Boolean);
  return html`
    <${Panel} title="Drawdown against its limit" id="drawdown">
      <${Chart} lines=${[{ kind: "live", name: "Below the mark", points }]} levels=${levels} format=${(value) => percent(value)} label="Drawdown ${percent(points.at(-1)[1])}" />
      <${Meaning} finding=${finding}>How far it is below its mark at the close of each day.<//>
    <//>
  `;
}

/** The limit of the settings, from how much of it is used. */
function wholeLimit(finding) {
  const used = finding?.details.used_percent;
  return used > 0 && finding.value > 0 ? Math.round((finding.value / used) * 1_000) / 10 : null;
}

function Drift({ found, days, findings }) {
  const points = days.filter((one) => one.cusum !== null).map((one) => [one.date, one.cusum]);
  if (points.length < 2) return null;
  const levels = [{ kind: "warning", name: "warning", value: found.cusum_limits.warning }, { kind: "critical", name: "critical", value: found.cusum_limits.critical }];
  return html`
    <${Panel} title="Drift: shortfalls that add up" id="drift">
      <${Chart} lines=${[{ kind: "live", name: "Sum of shortfalls", points }]} levels=${levels} format=${tenths} label="Sum of shortfalls ${tenths(points.at(-1)[1])}, critical at ${found.cusum_limits.critical}" />
      <${Meaning} finding=${findings.drift}>It grows while days earn less than the reference, and falls back to nothing while they earn enough.<//>
    <//>
  `;
}

function Stability({ found, days, findings }) {
  const points = rolling(days);
  const promised = found.registration?.registration.sharpe;
  if (points.length < 2) {
    return html`<${Panel} title="Stability" id="stability"><${Meaning} finding=${findings.stability}>A Sharpe ratio needs ${WINDOW} days.<//><//>`;
  }
  const levels = promised > 0 ? [{ kind: "expected", name: "reference", value: promised }, { kind: "warning", name: "60 % of it", value: promised * 0.6 }] : [];
  return html`
    <${Panel} title="Stability: Sharpe ratio of ${WINDOW} days" id="stability">
      <${Chart} lines=${[{ kind: "live", name: "Annual Sharpe ratio", points }]} levels=${levels} format=${hundredths} label="Annual Sharpe ratio of ${WINDOW} days: ${hundredths(points.at(-1)[1])}" />
      <p class="note">The line is a picture, and noisy: over ${WINDOW} days a Sharpe ratio is uncertain by about ±2. What counts is the test:</p>
      <${Meaning} finding=${findings.stability}>It is judged weekly.<//>
    <//>
  `;
}

function rolling(days) {
  const points = [];
  for (let at = WINDOW; at <= days.length; at += 1) {
    const values = days.slice(at - WINDOW, at).map((one) => one.value / Math.sqrt(one.span_days || 1));
    const mean = values.reduce((sum, value) => sum + value, 0) / WINDOW;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (WINDOW - 1);
    if (variance > 0) points.push([days[at - 1].date, (mean / Math.sqrt(variance)) * Math.sqrt(YEAR)]);
  }
  return points;
}

function Judgements({ checks }) {
  const all = checks.flatMap((check) => check.findings.map((finding) => ({ ...finding, check: check.check, as_of: check.as_of }))).sort(byLoudness);
  if (!all.length) return html`<${Panel} title="What the checks say" id="checks"><${Empty} icon="wait" title="It was not judged yet.">Each check looks at its time; see the schedule.<//><//>`;
  return html`
    <${Panel} title="What the checks say" id="checks">
      <ul class="findings">${all.map((one) => html`
        <li key=${one.check + one.rule}><p class="head">${judged(one.status)}<strong>${ruleName(one.rule)}</strong></p><p>${one.message}</p>
          <p class="note">${checkName(one.check)}, <${Time} at=${one.as_of} /></p></li>`)}
      </ul>
    <//>
  `;
}

function Reference({ found }) {
  const held = found.registration;
  if (!held) return null;
  const { registration } = held;
  const [kind, text] = OUTLOOKS[registration.outlook] ?? ["none", plain(registration.outlook)];
  const share = (value) => (value === null ? "unknown" : percent(value));
  return html`
    <${Panel} title="What it is held against" id="reference" aside=${html`<${Status} kind=${kind}>${text}<//>`}>
      <p>${registration.advice}</p>
      <${Facts} items=${[
        ["Kind", `${plain(held.kind)}, version ${held.version}`],
        ["Counts from", held.active_from],
        ["Days", html`<span class="num">${count(registration.days)}</span>`],
        ["Annual Sharpe ratio", html`<span class="num">${hundredths(registration.sharpe)}</span>`],
        ["of which to expect", html`<span class="num">${hundredths(registration.expected_sharpe)}</span>`],
        ["Better than luck", html`<span class="num">${share(registration.deflated)}</span>`],
        ["95 % of healthy years fall less than", html`<span class="num">${registration.drawdown_95 === null ? "unknown" : `${registration.drawdown_95.toFixed(1)} %`}</span>`],
      ]} />
    <//>
  `;
}

function About({ found }) {
  const { last_equity: last } = found;
  return html`
    <${Panel} title="Data" id="data">
      <${Facts} items=${[
        ["Returns from", found.returns_from === "equity" ? "readings of equity" : found.returns_from === "pushed" ? "what was sent" : "nothing yet"],
        ["Last day", html`<span class="num">${found.last_day ?? "none"}</span>`],
        last && ["Last equity", html`<span class="num">${count(Math.round(last.equity * 100) / 100)} ${found.currency ?? ""}</span> <span class="faint"><${Time} at=${last.at} />${last.quality === "ok" ? "" : `, ${last.quality}`}</span>`],
        ["A day ends at", `${found.day_cutoff.slice(0, 5)} ${found.timezone}`],
        found.waits_for && ["Waits for", found.waits_for.message],
      ]} />
    <//>
  `;
}
