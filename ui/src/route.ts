/** Which screen an address names: `#/`, `#/summary`, `#/people`, `#/TASK/LIST/one`, `#/TASK/LIST/sheet`. */

export type Route = { screen: "overview" | "summary" | "people" } | { screen: "one" | "sheet"; task: string; list: string };

export function readRoute(hash: string): Route {
  const [task = "", list, screen] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (list !== undefined && (screen === "one" || screen === "sheet")) return { screen, task, list };
  return { screen: task === "summary" || task === "people" ? task : "overview" };
}

/** The token of `#token=…`, taken out of the address so that it stays in no history and on no screen. */
export function takeToken(): string | null {
  const token = readToken(location.hash);
  if (token !== null) history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return token;
}

export function readToken(hash: string): string | null {
  const found = /^#token=(.+)$/.exec(hash)?.[1];
  return found === undefined ? null : decoded(found);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
