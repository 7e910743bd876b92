// What the API's closed sets are called on the screen, and how times and amounts are written.
const BRANDS = {
  binance: "Binance", bingx: "BingX", bitfinex: "Bitfinex", bitget: "Bitget", bitstamp: "Bitstamp", bybit: "Bybit",
  coinbase: "Coinbase", cryptocom: "Crypto.com", deribit: "Deribit", gate: "Gate", htx: "HTX",
  hyperliquid: "Hyperliquid", kraken: "Kraken", krakenfutures: "Kraken Futures", kucoin: "KuCoin", mexc: "MEXC",
  okx: "OKX", phemex: "Phemex", whitebit: "WhiteBIT",
};

export const REASONS = {
  ok: "Works",
  invalid_key: "Key not accepted",
  bad_secret: "Wrong secret",
  bad_passphrase: "Wrong passphrase",
  permission: "Lacks a permission",
  ip_restricted: "Our address not on its list",
  expired: "Expired",
  account_disabled: "Account disabled",
  wrong_environment: "Key of another environment",
  incomplete_secret: "Stored without a part",
  rate_limited: "Asked too often",
  exchange_down: "Exchange out of service",
  network: "No answer",
  clock_skew: "Clocks differ",
  bad_response: "Answer not understood",
  region_blocked: "Our region is blocked",
  secret_store: "Secret store unavailable",
  unsupported_exchange: "Exchange not supported",
  internal_error: "Error of ours",
};

const WARNINGS = {
  can_withdraw: "Can withdraw",
  readonly_can_trade: "Stored as read-only, can trade",
  expires_soon: "Expires soon",
  no_ip_restriction: "Not tied to addresses",
};

export const EVENTS = {
  "credential.failed": "Key failed",
  "credential.recovered": "Key recovered",
  "credential.expiring": "Key expires soon",
  "credential.risk": "Key may do too much",
  "performance.alert": "Performance alert",
  "performance.resolved": "Performance resolved",
  "webhook.test": "Test",
  "system.alert": "Message to operators",
};

export const CHECKS = {
  credential_health_check: "Credential checks",
  daily_pnl_check: "Daily P&L",
  weekly_stability_check: "Weekly stability",
  monthly_forward_test_update: "Monthly forward test",
  performance_threshold_check: "Thresholds, midday",
  evening_performance_check: "Thresholds, evening",
};

const RULES = {
  drift: "Drift", day_tail: "Worst day", volatility: "Volatility", interval_breaches: "Days below the interval", pnl_deviation: "P&L against projection",
  cone: "Cone", fresh_returns: "Freshness of returns", drawdown: "Drawdown", daily_loss: "Daily loss", sharpe: "Sharpe ratio", equity_reading: "Equity reading",
  fresh_equity: "Freshness of equity", stability: "Stability", walk_forward: "Walk forward", out_of_sample: "Out of sample", forward_test: "Forward test", projection: "Projection",
};

export const DEEDS = {
  login: "Signed in",
  "login.fail": "Failed to sign in",
  "key.create": "Made an API key",
  "key.revoke": "Revoked an API key",
  "credential.check": "Checked keys",
  "credential.put": "Stored a key",
  "credential.delete": "Removed a key",
  "sweep.start": "Began a sweep",
  "sweep.cancel": "Cancelled a sweep",
  "alert.ack": "Acknowledged an alert",
  "silence.create": "Made a silence",
  "silence.expire": "Ended a silence",
  "delivery.replay": "Sent messages again",
  "webhook.create": "Added an endpoint",
  "webhook.update": "Changed an endpoint",
  "webhook.delete": "Removed an endpoint",
  "webhook.test": "Tested an endpoint",
  "webhook.enable": "Switched an endpoint on",
  "webhook.disable": "Switched an endpoint off",
  "webhook.reset": "Closed a circuit",
  "webhook.rotate_secret": "Made a new signing secret",
  "webhook.commit_secret": "Retired an old signing secret",
  "schedule.trigger": "Ran a check",
  "schedule.enable": "Switched a check on",
  "schedule.disable": "Switched a check off",
  "performance.returns": "Sent daily returns",
  "performance.equity": "Sent equity",
  "performance.cashflows": "Sent cash flows",
  "performance.windows": "Sent windows",
  "performance.references": "Sent backtests",
  "performance.limits": "Sent limits",
  "tenant.create": "Added a tenant",
  "tenant.rename": "Renamed a tenant",
  "tenant.pause": "Paused a tenant",
  "tenant.resume": "Resumed a tenant",
  "tenant.purge": "Erased a tenant",
  "settings.reload": "Reloaded the settings",
};

const TRIES = {
  dns: "its name was not found",
  connect: "no connection",
  tls: "its certificate was not accepted",
  timeout: "no answer in time",
  reset: "the connection broke off",
  refused_address: "its address is forbidden",
};

export const exchangeName = (id) => BRANDS[id] ?? id ?? "";
export const reasonText = (reason) => REASONS[reason] ?? plain(reason);
export const warningText = (warning) => WARNINGS[warning] ?? plain(warning);
export const eventText = (event) => EVENTS[event] ?? event;
export const ruleName = (rule) => RULES[rule] ?? plain(rule);
export const deedName = (action) => DEEDS[action] ?? plain(action);
export const checkName = (name) => CHECKS[name] ?? plain(name);
export const tryText = (error) => TRIES[error] ?? plain(error);

/** `some_word` as "Some word". */
export function plain(word) {
  const text = String(word ?? "").replaceAll("_", " ").replaceAll(".", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const leafText = (leaf) => {
  const [type, ...label] = String(leaf).split(".");
  const name = { trading: "Trading", readonly: "Read-only" }[type] ?? type;
  return label.length ? `${name} · ${label.join(".")}` : name;
};

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

/** "2 d 3 h", "3 h 12 min", "5 min", "40 s" */
export function span(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length) break;
    if (parts.length >= (size >= 3_600 ? 2 : 1)) break;
  }
  return parts.join(" ") || "0 s";
}

/** "3 min ago", "in 2 h", "now". */
export function relative(iso, now = Date.now()) {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Math.abs(seconds) < 2) return "now";
  return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
}

/** "2026-01-05 12:00:00 UTC" */
export const exact = (iso) => (iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : "");

const COUNT = new Intl.NumberFormat("en");
export const count = (number) => COUNT.format(number ?? 0);
export const percent = (ratio, digits = 1) => `${(ratio * 100).toFixed(digits)} %`;
export const milliseconds = (ms) => (ms === null ? "" : ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Hostile text may hold what turns a line around or hides in it: such characters are shown. */
export function visible(text) {
  return String(text ?? "").replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
