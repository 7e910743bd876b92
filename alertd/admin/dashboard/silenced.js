// Which alerts that fire are silenced: the daemon says so of each, or is asked what each silence covers.
import { useData } from "./data.js";
import { useEffect, useState } from "./html.js";
import { ask, may } from "./session.js";

const MOST = 20;

export function useSilenced() {
  const active = useData(may("view_status") ? "silences" : null, { state: "active", limit: MOST }, { on: ["alert"] });
  const [covered, setCovered] = useState(new Set());
  const ids = active.data?.items.map((silence) => silence.id).join() ?? "";
  useEffect(() => {
    let here = true;
    const silences = active.data?.items ?? [];
    Promise.all(silences.map(({ matchers }) => ask("silences/preview", { method: "POST", body: { matchers } }).catch(() => ({ items: [] }))))
      .then((found) => here && setCovered(new Set(found.flatMap((one) => one.items.map((alert) => alert.id)))));
    return () => { here = false; };
  }, [ids, active.at]);
  return covered;
}
