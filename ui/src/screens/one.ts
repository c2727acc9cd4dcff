import type { Answer, Decision } from "../acts.ts";
import { newKey, newOrder } from "../acts.ts";
import type { App, Screen } from "../app.ts";
import { Refused } from "../api.ts";
import type { Choice, Event, Field, Item, List, Machine, Task } from "../contract.ts";
import { dialogOpen } from "../dialog.ts";
import { cap, h } from "../dom.ts";
import { Draft } from "../draft.ts";
import { Held } from "../held.ts";
import { showHelp } from "../help.ts";
import type { PageCommand } from "../keymap.ts";
import { Keymap, pressed } from "../keymap.ts";
import { Pictures } from "../pictures.ts";
import type { Settled } from "../sender.ts";
import type { Shell } from "../shell.ts";
import { Stopwatch } from "../stopwatch.ts";
import { Pace } from "./pace.ts";
import { Panel, machineLine } from "./panel.ts";
import { Stage } from "./stage.ts";
import { ViewerPane } from "./viewer_pane.ts";

/** No person has looked at a scan after this time: a press that comes sooner is a key that bounced. */
const LEAST_LOOK_MS = 100;

/** The second half of a double click comes within this time, and would answer for a scan that nobody has seen. */
const LEAST_LOOK_CLICK_MS = 400;

const RENEW_MS = 60_000;
const MOST_HELD = 20;

/** One scan, one key. */
export class OneScreen implements Screen {
  private readonly held = new Held();
  private readonly pictures = new Pictures();
  private readonly stage = new Stage(this.pictures);
  private readonly viewer = new ViewerPane();
  private readonly keymap: Keymap;
  private readonly draft: Draft;
  private readonly panel: Panel;
  private readonly pace: Pace;
  private readonly watch = new Stopwatch(() => performance.now(), !document.hidden);
  private readonly element: HTMLElement;
  private readonly left = new AbortController();
  private readonly done: { act: Decision; item: Item }[] = [];
  private waiting: Choice | null = null;
  private onScreen: Item | null = null;
  private visibleAt: number | null = null;
  private filling: Promise<void> | null = null;
  private fillAgain = false;
  private exhausted = false;

  constructor(
    private readonly app: App,
    private readonly shell: Shell,
    private readonly task: Task,
    private readonly list: List,
  ) {
    this.keymap = new Keymap(task);
    this.draft = new Draft(task);
    this.panel = new Panel(task, this.keymap, { choose: (choice) => this.choose(choice, LEAST_LOOK_CLICK_MS), field: (field) => this.tick(field), page: (command) => this.command(command, LEAST_LOOK_CLICK_MS) });
    this.pace = new Pace(app, shell, task, list);
    this.element = h("div", { class: "one", "data-visible": "false" }, this.stage.element, this.panel.element);
    shell.main.replaceChildren(this.element);
    this.pictures.onChange = ({ picture }) => this.pictureChanged(picture.url);
    app.settled.add(this.onSettled);
    const signal = this.left.signal;
    document.addEventListener("keydown", (event) => this.key(event), { signal });
    document.addEventListener("visibilitychange", () => this.visibility(), { signal });
    window.addEventListener("online", () => void this.fill(), { signal });
    const timer = setInterval(() => void this.renew(), RENEW_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    // What an earlier load of the page has decided and not sent must not be shown again.
    for (const act of app.sender?.unsent ?? []) if (act.kind === "decision") this.held.acted(act.item);
    void this.next();
  }

  leave(): void {
    this.left.abort();
    this.app.settled.delete(this.onSettled);
    this.viewer.close();
    this.pictures.clear();
    this.pace.leave();
    for (const { item } of this.held.items) void this.app.api.release("items", item).catch(() => undefined);
  }

  /** Show the first scan that is held, or wait for one. */
  private async next(): Promise<void> {
    this.visibleAt = null;
    this.draft.clear();
    this.ask(null);
    this.element.dataset["visible"] = "false";
    const item = this.held.current;
    if (item === undefined) {
      this.onScreen = null;
      this.panel.ready = false;
      this.panel.show(null, this.draft, false, false, false);
      this.stage.clear(this.exhausted ? this.endWords() : h("p", {}, "Asking for the next scan…"));
      this.element.dataset["item"] = "";
      await this.fill();
      if (this.held.current !== undefined && this.onScreen === null) await this.next();
      return;
    }
    this.onScreen = item;
    this.element.dataset["item"] = item.item;
    this.viewer.close();
    this.pictures.hold([...this.held.items, ...this.done.slice(-3).map((done) => done.item)]);
    this.countAhead();
    void this.fill();
    const seen = await this.stage.show(item);
    if (seen === null || this.onScreen !== item) return;
    this.visibleAt = performance.now();
    this.watch.start();
    this.panel.ready = true;
    this.panel.answerable = seen === "seen";
    this.showPanel();
    if (seen === "failed") this.ask("The picture did not come, so the scan cannot be judged yet. It is tried again; Later sets it aside.");
    this.element.dataset["visible"] = seen === "seen" ? "true" : "failed";
    performance.mark("scan-visible", { detail: item.item });
  }

  /** How many scans can be shown without waiting for the network. */
  private countAhead(): void {
    this.element.dataset["ahead"] = String(this.held.items.slice(1).filter((item) => this.pictures.ready(item)).length);
  }

  /** A picture has come, or has failed for now. */
  private pictureChanged(url: string): void {
    this.countAhead();
    const item = this.onScreen;
    if (item === null || this.visibleAt === null) return;
    if (!this.panelAnswers() && this.pictures.ready(item)) void this.next();
    else this.stage.refresh(url);
  }

  /** Top up what is held. One question at a time; a wish that comes meanwhile is asked afterwards. */
  private fill(): Promise<void> {
    this.fillAgain = true;
    this.filling ??= this.fillAll().finally(() => {
      this.filling = null;
      // A wish that came after the last look at it and before this line.
      if (this.fillAgain && !this.left.signal.aborted) void this.fill();
    });
    return this.filling;
  }

  private async fillAll(): Promise<void> {
    while (this.fillAgain && !this.left.signal.aborted) {
      this.fillAgain = false;
      const asked = this.held.ask();
      const ahead = this.app.session?.settings.ahead ?? 3;
      const size = Math.min(1 + ahead + this.held.unknown, MOST_HELD);
      try {
        const answer = await this.app.patiently(() => this.app.api.hand(this.task.task, this.list.id, size), this.left.signal, (yes) => this.offline(yes));
        if (answer === null) {
          this.fillAgain = false;
          return;
        }
        this.held.merge(answer.items, asked);
        this.exhausted = answer.items.length === 0;
      } catch (error) {
        this.fillAgain = false;
        this.stage.clear(h("p", {}, error instanceof Refused ? error.message : "The list could not be read."), backLink());
        return;
      }
      this.pictures.hold([...this.held.items, ...this.done.slice(-3).map((done) => done.item)]);
      this.countAhead();
      if (this.onScreen === null) {
        if (this.held.current !== undefined) void this.next();
        else if (this.held.unknown === 0) this.stage.clear(this.endWords());
      }
    }
  }

  private offline(yes: boolean): void {
    if (yes && this.onScreen === null) this.stage.clear(h("p", {}, "The server does not answer. What you decided is kept here and will be sent; the next scan comes as soon as the server is back."));
  }

  private key(event: KeyboardEvent): void {
    const name = pressed(event);
    if (name === null || dialogOpen()) return;
    if (event.target instanceof HTMLElement && event.target.matches("input, textarea, select")) return;
    const command = this.keymap.command(name);
    if (command === undefined) return;
    event.preventDefault();
    // A key that is held down says the same thing about many scans.
    if (event.repeat) return;
    if (command.do === "choose") {
      const choice = this.task.choices.find(({ id }) => id === command.id);
      if (choice) this.choose(choice, LEAST_LOOK_MS);
    } else if (command.do === "field") {
      const field = this.task.fields.find(({ id }) => id === command.id);
      if (field) this.tick(field);
    } else {
      this.command(command.do, LEAST_LOOK_MS);
    }
  }

  private command(command: PageCommand, leastLook: number): void {
    switch (command) {
      case "later":
      case "cannot_tell":
        return this.decide({ outcome: command, choice: null, fields: {} }, leastLook);
      case "undo":
        return this.undo();
      case "overlay":
        if (this.viewer.open) void this.viewer.toggleMasks();
        else this.stage.toggleOverlay();
        return this.showPanel();
      case "viewer":
        return void this.toggleViewer();
      case "next":
        return this.stage.turn(1);
      case "previous":
        return this.stage.turn(-1);
      case "enlarge":
        return void this.stage.toggleEnlarged();
      case "help":
        return showHelp(this.task, this.keymap, "one", this.task.question);
      case "leave":
        if (this.viewer.open) return void this.toggleViewer();
        if (this.waiting !== null) return this.ask(null);
        location.hash = "#/";
        return;
      default:
        return;
    }
  }

  private tick(field: Field): void {
    if (this.onScreen === null) return;
    if (this.waiting !== null) return this.accept(this.draft.complete(this.waiting, field), LEAST_LOOK_MS);
    this.draft.toggle(field);
    this.ask(null);
    this.showPanel();
  }

  private choose(choice: Choice, leastLook: number): void {
    if (this.onScreen !== null && !this.panelAnswers()) return;
    this.accept(this.draft.answer(choice), leastLook);
  }

  private panelAnswers(): boolean {
    return this.element.querySelector(".choice:disabled") === null;
  }

  private accept(answer: ReturnType<Draft["answer"]>, leastLook: number): void {
    if ("conflict" in answer) {
      this.showPanel();
      this.ask(answer.conflict, answer.waiting ?? null);
    } else {
      this.decide(answer, leastLook);
    }
  }

  /** Keep the decision and show the next scan, whatever the network does. */
  private decide(answer: Answer, leastLook: number): void {
    const item = this.onScreen;
    const sender = this.app.sender;
    if (item === null || sender === null) return;
    if (this.visibleAt === null || performance.now() - this.visibleAt < leastLook) {
      this.shell.tell("Not taken: this scan had only just appeared.");
      return;
    }
    const shown = { ...this.stage.shown, viewer: this.viewer.seen(item.item) };
    if (this.viewer.masksSeen(item.item)) shown.overlay = true;
    const act: Decision = {
      kind: "decision",
      order: newOrder(),
      user: this.app.user,
      study: this.app.study,
      words: `${this.task.title}, scan ${item.scan_id}: ${this.words(answer)}`,
      item: item.item,
      body: { key: newKey(), ...answer, seconds: this.watch.seconds, shown },
    };
    sender.submit(act);
    performance.mark("scan-decided", { detail: item.item });
    this.held.acted(item.item);
    this.done.push({ act, item });
    this.pace.decided();
    this.sayLast(answer, null);
    void this.next();
  }

  private undo(): void {
    const last = this.done.pop();
    if (last === undefined) return void this.undoEarlier();
    this.submitUndo({ key: last.act.body.key }, last.act.words, last.item.item);
    this.pace.undone();
    this.held.front(last.item);
    this.panel.showLast(h("p", {}, `Taken back: ${last.act.words}.`));
    this.shell.say("Taken back. The scan is on the screen again.");
    void this.next();
  }

  /** Nothing decided since the page was loaded: take back the last decision in this list that stands. */
  private async undoEarlier(): Promise<void> {
    try {
      if ((this.app.sender?.unsent.length ?? 0) > 0) return this.shell.tell("Wait until all is sent, then take it back.");
      const { events } = await this.app.api.get<{ events: Event[] }>("/api/history?limit=50");
      const last = events.find((event) => event.kind === "decision" && event.undone_by === null && event.task === this.task.task && event.list === this.list.id);
      if (last === undefined) return this.shell.tell("There is nothing to take back in this list.");
      this.submitUndo({ event: last.position }, `decision ${last.position}`);
    } catch {
      this.shell.tell("The server does not answer: earlier decisions cannot be taken back now.");
    }
  }

  private submitUndo(of: { key: string } | { event: number }, what: string, item?: string): void {
    const where = { user: this.app.user, study: this.app.study };
    this.app.sender?.submit({ kind: "undo", order: newOrder(), ...where, words: `Take back: ${what}`, of, body: { key: newKey() }, ...(item === undefined ? {} : { item }) });
  }

  private readonly onSettled = (settled: Settled): void => {
    const { act } = settled;
    if (act.kind === "decision") {
      this.held.settled(act.item);
      const latest = this.done.at(-1)?.act.body.key === act.body.key;
      if (latest && settled.how === "stored") this.sayLast(act.body, (settled.receipt.machine ?? null) as Machine | null);
      if (settled.how === "refused") this.shell.tell(`Not accepted: ${settled.reason}`, 8_000);
      void this.fill();
    } else if (act.kind === "undo" && settled.how === "stored") {
      this.givenBack(settled.receipt.item as Item | null | undefined, act.item);
    }
  };

  /** An undo is stored: the scan is this person's again, or somebody else's by now. */
  private givenBack(item: Item | null | undefined, expected: string | undefined): void {
    if (item && item.task === this.task.task && item.list === this.list.id) {
      if (expected !== undefined) return;
      this.held.front(item);
      void this.next();
    } else if (!item) {
      this.shell.tell("Taken back. Somebody else has the scan now.");
      if (expected === undefined) return;
      this.held.items = this.held.items.filter((held) => held.item !== expected);
      if (this.onScreen?.item === expected) void this.next();
    }
  }

  private async toggleViewer(): Promise<void> {
    const item = this.onScreen;
    if (item === null) return;
    if (this.viewer.open) this.viewer.close();
    else await this.viewer.show(item, this.stage.element);
    this.showPanel();
  }

  private showPanel(): void {
    const overlay = this.viewer.open ? this.viewer.masksOn : this.stage.overlay;
    const hasOverlay = this.viewer.open ? (this.onScreen?.masks.length ?? 0) > 0 : this.stage.hasOverlay;
    this.panel.show(this.onScreen, this.draft, hasOverlay, overlay, this.viewer.open);
  }

  private ask(text: string | null, waiting: Choice | null = null): void {
    this.waiting = waiting;
    this.panel.complain(text);
  }

  private sayLast(answer: Answer, machine: Machine | null): void {
    const words = this.words(answer);
    const undo = h("button", { type: "button", class: "quiet", "data-command": "undo", onClick: () => this.undo() }, cap(this.keymap.keyOf("undo")), h("span", {}, "Undo"));
    this.panel.showLast(h("div", {}, h("p", {}, h("span", { class: "hint" }, "Scan before: "), h("b", {}, words)), machineLine(machine)), undo);
    this.shell.say(machine === null ? `Scan before: ${words}.` : `Scan before: ${words}. Machine: ${machine.label}.`);
  }

  private words(answer: Answer): string {
    if (answer.outcome === "later") return "Later";
    if (answer.outcome === "cannot_tell") return "Can't tell";
    const ticked = this.task.fields.filter(({ id }) => answer.fields[id]).map(({ title }) => title.toLowerCase());
    const choice = this.task.choices.find(({ id }) => id === answer.choice)?.title ?? "";
    return [choice, ...ticked].join(", ");
  }

  private visibility(): void {
    this.watch.setVisible(!document.hidden);
    if (!document.hidden) void this.renew();
  }

  private async renew(): Promise<void> {
    const items = this.held.items.map(({ item }) => item);
    if (document.hidden || items.length === 0) return;
    const answer = await this.app.api.renew(items).catch(() => null);
    if (answer !== null) this.held.lose(answer.lost);
  }

  private endWords(): HTMLElement {
    return h("div", { class: "end" }, h("h2", {}, "Nothing left here for you"), h("p", {}, "All scans of this list are decided, or with other people."), backLink());
  }
}

function backLink(): HTMLElement {
  return h("a", { class: "button", href: "#/" }, "To the overview");
}
