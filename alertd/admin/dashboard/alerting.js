// What an alert is about, in words. Pure.
import { checkName, exchangeName, leafText, reasonText, ruleName, visible } from "./words.js";

export const SEVERITIES = ["emergency", "critical", "warning", "info"];
export const severityKind = (severity) => ({ emergency: "bad", critical: "bad", warning: "warn", info: "info" })[severity] ?? "info";

/** "OKX trading key: lacks a permission" */
export const keyTitle = (exchange, leaf, reason) =>
  `${exchangeName(exchange)} ${leafText(leaf).toLowerCase()} key: ${lower(reasonText(reason))}`;

const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

export function alertTitle(alert) {
  if (alert.check === "credential_health_check" && alert.details?.reason) {
    return keyTitle(alert.exchange, alert.details.leaf ?? "", alert.details.reason);
  }
  if (alert.check === "credential_health_check") return `Key failed at ${exchangeName(alert.exchange)}`;
  return `${ruleName(alert.rule)}: ${visible(alert.subject)}`;
}

export const alertCheck = (alert) => checkName(alert.check);

/** Where the alert's subject has a page; null where it has none. */
export function subjectPlace(alert) {
  if (alert.check === "credential_health_check" && alert.tenant_id && alert.exchange && alert.details?.leaf) {
    return ["credentials", alert.tenant_id, alert.exchange, alert.details.leaf];
  }
  return null;
}

export function alertState(alert) {
  if (alert.state === "resolved") return ["ok", "Resolved"];
  if (alert.state === "pending") return ["wait", "Pending"];
  if (alert.acked_at) return ["hand", "Acknowledged"];
  return [severityKind(alert.severity), "Firing"];
}
