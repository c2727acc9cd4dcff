import "./styles/base.css";
import "./styles/shell.css";
import "./styles/overview.css";
import "./styles/one.css";
import "./styles/sheet.css";

import { Refused, Unreachable } from "./api.ts";
import { App, type Screen } from "./app.ts";
import { dialogOpen } from "./dialog.ts";
import { fill, h } from "./dom.ts";
import { readRoute, takeToken } from "./route.ts";
import { showLogin } from "./screens/login.ts";
import { OneScreen } from "./screens/one.ts";
import { Overview } from "./screens/overview.ts";
import { People } from "./screens/people.ts";
import { SheetScreen } from "./screens/sheet.ts";
import { Summary } from "./screens/summary.ts";
import { Shell } from "./shell.ts";
import { startTheme } from "./theme.ts";

const RETRY_MS = 1_500;

/** Start, log in, and go where the address says. */
class Page {
  private readonly app = new App();
  private readonly root = document.getElementById("page") as HTMLElement;
  private screen: Screen | null = null;
  private shell: Shell | null = null;
  private turns = 0;

  async start(): Promise<void> {
    startTheme();
    this.app.onLogin = () => this.login(null);
    this.app.sending.add(() => {
      if (this.app.sender?.state === "login") this.login(null);
    });
    window.addEventListener("hashchange", () => void this.arrive());
    window.addEventListener("online", () => this.app.sender?.kick());
    document.addEventListener("visibilitychange", () => !document.hidden && this.app.sender?.kick());
    await this.arrive();
  }

  /** The address has changed: a token to log in with, or another screen. */
  private async arrive(): Promise<void> {
    const token = takeToken();
    if (token !== null) return this.login(token);
    if (this.app.session === null && !(await this.resume())) return;
    await this.route();
  }

  /** Whether an earlier session still holds; the login is shown where it does not. */
  private async resume(): Promise<boolean> {
    for (;;) {
      try {
        this.app.enter(await this.app.api.session());
        return true;
      } catch (error) {
        if (error instanceof Unreachable) {
          fill(this.root, h("main", { class: "center" }, h("p", { role: "status" }, "The server does not answer. Trying again…")));
          await new Promise((done) => setTimeout(done, RETRY_MS));
          continue;
        }
        if (error instanceof Refused) this.login(null);
        return false;
      }
    }
  }

  private login(token: string | null): void {
    if (this.root.querySelector(".login") !== null && token === null) return;
    this.leave();
    showLogin(this.app, this.root, token, () => void this.route());
  }

  private leave(): void {
    this.screen?.leave();
    this.shell?.leave();
    this.screen = null;
    this.shell = null;
    for (const open of document.querySelectorAll("dialog")) open.close();
  }

  private async route(): Promise<void> {
    const turn = ++this.turns;
    this.leave();
    const shell = new Shell(this.app, this.root, () => this.help(), () => void this.logout());
    this.shell = shell;
    const route = readRoute(location.hash);
    document.title = "BrainSift review";
    if (route.screen === "summary") this.screen = new Summary(this.app, shell);
    else if (route.screen === "people") this.screen = new People(this.app, shell);
    else if (route.screen === "overview") this.screen = new Overview(this.app, shell);
    else if ("task" in route) await this.list(shell, route.task, route.list, route.screen, turn);
  }

  private async list(shell: Shell, taskId: string, listId: string, screen: "one" | "sheet", turn: number): Promise<void> {
    const gone = new AbortController();
    this.screen = { leave: () => gone.abort() };
    const tasks = await this.app.patiently(() => this.app.api.tasks(), gone.signal, (yes) => yes && shell.main.replaceChildren(h("p", { class: "center" }, "The server does not answer. Trying again…")));
    if (tasks === null || turn !== this.turns) return;
    this.app.tasks = tasks;
    const task = tasks.find((one) => one.task === taskId);
    const list = task?.lists.find((one) => one.id === listId);
    if (task === undefined || list === undefined) {
      location.hash = "#/";
      return;
    }
    document.title = `${task.title} · ${list.title} · BrainSift review`;
    this.screen = screen === "sheet" && list.screen === "sheet" ? new SheetScreen(this.app, shell, task, list) : new OneScreen(this.app, shell, task, list);
  }

  /** The help button does what its key does on the screen that is open. */
  private help(): void {
    if (dialogOpen()) return;
    if (readRoute(location.hash).screen === "overview") this.shell?.tell("Tab and Enter go through the lists. Each list has its keys: open one and press ?.");
    else document.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true }));
  }

  private async logout(): Promise<void> {
    try {
      await this.app.api.logout();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) {
        this.shell?.tell("Not logged out: the server does not answer.");
        return;
      }
    }
    this.app.sender?.stop();
    this.app.sender = null;
    this.app.session = null;
    location.hash = "#/";
    this.login(null);
  }
}

void new Page().start();
