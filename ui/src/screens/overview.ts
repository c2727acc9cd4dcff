import { Refused } from "../api.ts";
import type { App, Screen } from "../app.ts";
import type { List, Progress, Task } from "../contract.ts";
import { fill, h } from "../dom.ts";
import type { Shell } from "../shell.ts";
import { blocked, count, hours, seconds } from "../words.ts";

const REFRESH_MS = 10_000;

function today({ me }: Progress): string {
  const pace = me.seconds_per_scan === null ? "" : `, ${seconds(me.seconds_per_scan)} a scan`;
  return `Today you decided ${count(me.today, "scan")}${pace}.`;
}

/** What there is to do, task by task. */
export class Overview implements Screen {
  private readonly element = h("div", { class: "overview" });
  private readonly left = new AbortController();

  constructor(
    private readonly app: App,
    shell: Shell,
  ) {
    shell.main.replaceChildren(this.element);
    shell.head(h("span", { class: "place" }, app.session?.study.title ?? ""));
    const timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.left.signal.addEventListener("abort", () => clearInterval(timer));
    void this.refresh();
  }

  leave(): void {
    this.left.abort();
  }

  private async refresh(): Promise<void> {
    if (document.hidden) return;
    try {
      const ask = async () => [await this.app.api.tasks(), await this.app.api.progress()] as const;
      const answer = await this.app.patiently(ask, this.left.signal, (yes) => (this.element.dataset["offline"] = String(yes)));
      if (answer === null || this.left.signal.aborted) return;
      this.app.tasks = answer[0];
      this.show(...answer);
    } catch (error) {
      fill(this.element, h("p", { class: "note" }, error instanceof Refused ? error.message : "The overview could not be read."));
    }
  }

  private show(tasks: Task[], progress: Progress): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset["to"];
    const { session } = this.app;
    const role = session?.user.role;
    fill(
      this.element,
      h(
        "section",
        { class: "hello" },
        h("h1", {}, "What there is to look at"),
        h("p", { class: "hint" }, `${count(session?.study.scans ?? 0, "scan")} in the study. ${today(progress)}`),
        session?.settings.blind === true && h("p", { class: "hint" }, "The machine's answer is shown after yours."),
        session?.user.simulated === true && h("p", { class: "note" }, "This account is simulated: what it decides is marked so."),
        (role === "adjudicator" || role === "admin") && h("nav", { class: "row", "aria-label": "More" }, h("a", { class: "button", href: "#/summary" }, "Summary"), role === "admin" && h("a", { class: "button", href: "#/people" }, "People")),
      ),
      ...tasks.map((task) => this.card(task, progress)),
      tasks.length === 0 && h("p", {}, "No task has findings yet. Run `brainsift run` first."),
    );
    if (focused) this.element.querySelector<HTMLElement>(`[data-to="${CSS.escape(focused)}"]`)?.focus();
  }

  private card(task: Task, progress: Progress): HTMLElement {
    const found = progress.tasks.find((other) => other.task === task.task);
    const extra = [found && found.second > 0 ? `${count(found.second, "second reading")} open` : "", found && found.undecided > 0 ? `${found.undecided} undecided` : ""].filter((text) => text !== "");
    return h(
      "section",
      { class: "card", "data-task": task.task, "aria-label": task.title },
      h("div", { class: "card-head" }, h("h2", {}, task.title), found?.hours_left != null && h("p", { class: "left" }, h("b", {}, hours(found.hours_left)), " left")),
      h("p", { class: "hint" }, [task.question, ...extra].join(" · ")),
      h("ul", { class: "lists" }, ...task.lists.map((list) => this.row(task, list, progress))),
    );
  }

  private row(task: Task, list: List, progress: Progress): HTMLElement {
    const pace = progress.tasks.find((other) => other.task === task.task)?.lists.find(({ id }) => id === list.id);
    const to = `#/${encodeURIComponent(task.task)}/${encodeURIComponent(list.id)}`;
    const able = list.blocked === null && list.open > 0;
    const link = (screen: string, text: string, primary: boolean): HTMLElement => h("a", { class: primary ? "button primary" : "button", href: `${to}/${screen}`, "data-to": `${to}/${screen}`, "aria-label": `${task.title}, ${list.title}: ${text}` }, text);
    return h(
      "li",
      { "data-list": list.id },
      h("div", { class: "list-name" }, h("b", {}, list.title), !list.required && h("span", { class: "hint" }, " optional"), list.mine > 0 && h("span", { class: "hint" }, ` ${list.mine} with you`)),
      h("progress", { max: Math.max(list.total, 1), value: list.done, "aria-label": `${list.title}: done` }),
      h("span", { class: "figures" }, h("span", {}, `${list.done} / ${list.total}`), pace?.hours_left != null && h("span", {}, `${hours(pace.hours_left)} left`)),
      h(
        "span",
        { class: "row" },
        list.blocked !== null && h("span", { class: "hint" }, blocked(list.blocked)),
        list.blocked === null && list.open === 0 && h("span", { class: "hint" }, list.total === 0 ? "empty" : list.done >= list.total ? "done" : "nothing for you now"),
        able && list.screen === "sheet" && link("one", "One by one", false),
        able && (list.screen === "sheet" ? link("sheet", "Sheets", true) : link("one", "Start", true)),
      ),
    );
  }
}
