import type { App } from "../app.ts";
import type { List, Progress, Task } from "../contract.ts";
import { h } from "../dom.ts";
import type { Shell } from "../shell.ts";
import { hours, seconds } from "../words.ts";

const REFRESH_MS = 15_000;

/** How far the list is and how fast it goes, in the header. Between two answers of the server it counts along. */
export class Pace {
  private progress: Progress | null = null;
  private since = 0;
  private readonly timer: ReturnType<typeof setInterval>;
  private gone = false;

  constructor(
    private readonly app: App,
    private readonly shell: Shell,
    private readonly task: Task,
    private readonly list: List,
  ) {
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.show();
    void this.refresh();
  }

  leave(): void {
    this.gone = true;
    clearInterval(this.timer);
  }

  decided(scans = 1): void {
    this.since += scans;
    this.show();
  }

  undone(scans = 1): void {
    this.since -= scans;
    this.show();
  }

  private async refresh(): Promise<void> {
    if (document.hidden) return;
    const unsent = this.app.sender?.unsent.length ?? 0;
    const progress = await this.app.api.progress().catch(() => null);
    if (progress === null || this.gone) return;
    this.progress = progress;
    this.since = unsent;
    this.show();
  }

  private show(): void {
    const task = this.progress?.tasks.find(({ task }) => task === this.task.task);
    const found = task?.lists.find(({ id }) => id === this.list.id);
    const total = found?.total ?? this.list.total;
    const done = Math.min(Math.max((found?.done ?? this.list.done) + this.since, 0), total);
    const mine = this.progress?.me.seconds_per_scan ?? null;
    const left = found?.hours_left ?? null;
    this.shell.head(
      h("span", { class: "place" }, h("b", {}, this.task.title), ` · ${this.list.title}`),
      h("progress", { max: Math.max(total, 1), value: done, "aria-label": "Done in this list" }),
      h("span", { class: "figures" }, h("span", { id: "done-total" }, `${done} / ${total}`), mine === null ? "" : h("span", { title: "My seconds per scan" }, `${seconds(mine)} a scan`), left === null ? "" : h("span", { title: "Time left in this list" }, `${hours(left)} left`)),
    );
  }
}
