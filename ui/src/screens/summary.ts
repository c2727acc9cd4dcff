import { Refused } from "../api.ts";
import type { App, Screen } from "../app.ts";
import { fill, h } from "../dom.ts";
import type { Shell } from "../shell.ts";
import { hours, percent, seconds } from "../words.ts";

interface Timing {
  mean: number | null;
  n: number;
}

interface TaskSummary {
  task: string;
  scans: number;
  automatic: { accept: number; reject: number; refer: number; share: number | null };
  seconds: { one: Timing; sheet: Timing };
  hours: { without_model: number | null; with_model: number | null; saved_share: number | null; simulated: boolean; rule: string };
  agreement: { pairs: number; same: number; kappa: number | null; low: number | null; high: number | null };
  catch: { shown: number; missed: number; low: number | null; high: number | null };
  machine: { compared: number; agreed: number };
  reviewers: { name: string; decisions: number; seconds_per_scan: number | null; catch_shown: number; catch_missed: number }[];
}

/** What the study costs and how far people agree, for those who answer for it. */
export class Summary implements Screen {
  private readonly element = h("div", { class: "overview" });

  constructor(
    private readonly app: App,
    shell: Shell,
  ) {
    shell.main.replaceChildren(this.element);
    shell.head(h("span", { class: "place" }, "Summary"));
    void this.load();
  }

  leave(): void {}

  private async load(): Promise<void> {
    try {
      const { tasks } = await this.app.api.get<{ tasks: TaskSummary[] }>("/api/summary");
      const admin = this.app.session?.user.role === "admin";
      fill(
        this.element,
        h("section", { class: "hello" }, h("h1", {}, "Summary"), h("p", { class: "row" }, h("a", { class: "button", href: "#/" }, "To the overview"), admin && h("a", { class: "button", href: "/api/labels.tsv", download: "labels.tsv" }, "labels.tsv"))),
        ...tasks.map((task) => this.card(task)),
      );
    } catch (error) {
      fill(this.element, h("p", { class: "note" }, error instanceof Refused ? error.message : "The server does not answer."), h("a", { class: "button", href: "#/" }, "To the overview"));
    }
  }

  private card(task: TaskSummary): HTMLElement {
    const title = this.app.tasks.find((other) => other.task === task.task)?.title ?? task.task;
    const range = (low: number | null, high: number | null, write: (value: number) => string): string => (low === null || high === null ? "" : ` [${write(low)}, ${write(high)}]`);
    const { automatic, agreement, machine } = task;
    const rows: [string, string][] = [
      ["Decided automatically", `${automatic.share === null ? "–" : percent(automatic.share)} of ${task.scans} (${automatic.accept} accepted, ${automatic.reject} rejected, ${automatic.refer} referred)`],
      ["Seconds a scan, one by one", `${seconds(task.seconds.one.mean)} (n = ${task.seconds.one.n})`],
      ["Seconds a scan, on sheets", `${seconds(task.seconds.sheet.mean)} (n = ${task.seconds.sheet.n})`],
      [`Hours of review${task.hours.simulated ? " (simulated)" : ""}`, `${hours(task.hours.without_model)} without the model, ${hours(task.hours.with_model)} with it${task.hours.saved_share === null ? "" : `: ${percent(task.hours.saved_share)} saved`}`],
      ["Second readings that agree", `${agreement.same} of ${agreement.pairs}${agreement.kappa === null ? "" : `, kappa ${agreement.kappa.toFixed(2)}${range(agreement.low, agreement.high, (value) => value.toFixed(2))}`}`],
      ["Catch trials missed", `${task.catch.missed} of ${task.catch.shown}${range(task.catch.low, task.catch.high, percent)}`],
      ["Machine and people agree", `${machine.agreed} of ${machine.compared}`],
    ];
    return h(
      "section",
      { class: "card" },
      h("h2", {}, title),
      h("dl", { class: "facts" }, ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      h("p", { class: "hint" }, task.hours.rule),
      task.reviewers.length > 0 && people(task),
    );
  }
}

function people(task: TaskSummary): HTMLElement {
  const head = ["Person", "Decisions", "Seconds a scan", "Catch trials missed"].map((text) => h("th", { scope: "col" }, text));
  const rows = task.reviewers.map((person) => h("tr", {}, h("th", { scope: "row" }, person.name), h("td", {}, String(person.decisions)), h("td", {}, seconds(person.seconds_per_scan)), h("td", {}, `${person.catch_missed} of ${person.catch_shown}`)));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
}
