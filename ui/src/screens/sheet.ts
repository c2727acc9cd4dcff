import type { Answer, Signature } from "../acts.ts";
import { newKey, newOrder } from "../acts.ts";
import { Refused } from "../api.ts";
import type { App, Screen } from "../app.ts";
import type { Choice, Field, List, Machine, Sheet, Task } from "../contract.ts";
import { dialog, dialogOpen } from "../dialog.ts";
import { cap, fill, h } from "../dom.ts";
import { Draft } from "../draft.ts";
import { showHelp } from "../help.ts";
import type { PageCommand } from "../keymap.ts";
import { Keymap, pressed, printed } from "../keymap.ts";
import { Marks } from "../marks.ts";
import { browserShelf } from "../outbox.ts";
import { Pictures } from "../pictures.ts";
import type { Settled } from "../sender.ts";
import type { Shell } from "../shell.ts";
import { Stopwatch } from "../stopwatch.ts";
import { count } from "../words.ts";
import { Pace } from "./pace.ts";
import { Stage } from "./stage.ts";
import { Tile, words } from "./tile.ts";

const RENEW_MS = 60_000;
/** Share of a tile that must have been in the window before its scan counts as seen. */
const SEEN_SHARE = 0.6;

/** About twenty scans at a glance: mark the exceptions, sign for the rest. */
export class SheetScreen implements Screen {
  private readonly keymap: Keymap;
  private readonly pictures = new Pictures();
  private readonly pace: Pace;
  private readonly watch = new Stopwatch(() => performance.now(), !document.hidden);
  private readonly left = new AbortController();
  private readonly grid = h("ol", { class: "tiles" });
  private readonly bottom = h("div", { class: "sign-bar" });
  private readonly element = h("div", { class: "sheet", "data-visible": "false" }, this.grid, this.bottom);
  private readonly observer: IntersectionObserver;
  private tiles: Tile[] = [];
  private sheet: Sheet | null = null;
  private marks = new Marks("", null, []);
  private focus = 0;
  private overlay = false;
  private enlarged: Stage | null = null;
  private signed: { act: Signature; count: number } | null = null;

  constructor(
    private readonly app: App,
    private readonly shell: Shell,
    private readonly task: Task,
    private readonly list: List,
  ) {
    this.keymap = new Keymap(task);
    this.pace = new Pace(app, shell, task, list);
    this.observer = new IntersectionObserver((entries) => this.observed(entries), { threshold: SEEN_SHARE });
    shell.main.replaceChildren(this.element);
    this.pictures.onChange = ({ picture }) => {
      for (const tile of this.tiles) if (tile.mainPicture === picture.name && tile.item.pictures.includes(picture)) tile.render(this.overlay);
      this.enlarged?.refresh(picture.url);
    };
    app.settled.add(this.onSettled);
    const signal = this.left.signal;
    document.addEventListener("keydown", (event) => this.key(event), { signal });
    document.addEventListener("visibilitychange", () => this.watch.setVisible(!document.hidden), { signal });
    const timer = setInterval(() => void this.renew(), RENEW_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    void this.load();
  }

  leave(): void {
    this.left.abort();
    this.observer.disconnect();
    this.pictures.clear();
    this.app.settled.delete(this.onSettled);
    this.pace.leave();
    if (this.sheet !== null && this.marks.size === 0) void this.app.api.release("sheets", this.sheet.id).catch(() => undefined);
  }

  /** Fetch a sheet; not before what was signed has arrived, or the server would hand out the same one again. */
  private async load(): Promise<void> {
    this.sheet = null;
    this.tiles = [];
    this.element.dataset["visible"] = "false";
    this.element.dataset["sheet"] = "";
    fill(this.grid);
    fill(this.bottom, this.lastSigned(), h("p", {}, "Asking for the next sheet…"));
    if (this.app.sender?.unsent.some((act) => act.kind === "sign")) {
      fill(this.bottom, this.lastSigned(), h("p", {}, "The signature is kept here and is being sent; the next sheet comes after it."));
      return;
    }
    const size = this.app.session?.settings.sheet_size ?? 20;
    try {
      const ask = () => this.app.api.sheet(this.task.task, this.list.id, size);
      const answer = await this.app.patiently(ask, this.left.signal, (yes) => yes && fill(this.bottom, this.lastSigned(), h("p", {}, "The server does not answer. The next sheet comes as soon as it is back.")));
      if (answer === null) return;
      if (answer.sheet === null) this.end();
      else this.show(answer.sheet);
    } catch (error) {
      fill(this.bottom, h("p", {}, error instanceof Refused ? error.message : "The list could not be read."), h("a", { class: "button", href: "#/" }, "To the overview"));
    }
  }

  private show(sheet: Sheet): void {
    this.sheet = sheet;
    this.element.dataset["sheet"] = sheet.id;
    this.marks = new Marks(sheet.id, browserShelf(), sheet.items.map(({ item }) => item));
    this.pictures.hold(sheet.items);
    this.tiles = sheet.items.map((item, place) => new Tile(item, place, this.task, this.pictures, () => this.showBottom()));
    fill(this.grid, ...this.tiles.map((tile) => tile.element));
    for (const tile of this.tiles) {
      tile.show(this.marks.get(tile.item.item), this.defaultTitle);
      tile.button.addEventListener("focus", () => (this.focus = tile.place));
      tile.button.addEventListener("click", () => this.enlarge(tile));
      this.observer.observe(tile.element);
    }
    this.watch.start();
    this.move(0);
    window.scrollTo(0, 0);
    this.showBottom();
    this.element.dataset["visible"] = "true";
  }

  private get defaultTitle(): string {
    return this.task.choices.find(({ id }) => id === this.sheet?.default_choice)?.title ?? "";
  }

  private observed(entries: IntersectionObserverEntry[]): void {
    for (const entry of entries) this.tiles.find((tile) => tile.element === entry.target)?.setOnScreen(entry.isIntersecting);
  }

  private key(event: KeyboardEvent): void {
    const name = pressed(event);
    if (name === null || dialogOpen()) return;
    const command = this.keymap.command(name);
    if (command === undefined || this.sheet === null) {
      if (command?.do === "leave") location.hash = "#/";
      if (command?.do === "undo" && !event.repeat) this.undo();
      return;
    }
    event.preventDefault();
    const moves: Partial<Record<string, number>> = { next: 1, previous: -1, up: -this.columns, down: this.columns };
    const move = moves[command.do];
    if (move !== undefined) return this.move(this.focus + move);
    if (event.repeat) return;
    const tile = this.tiles[this.focus];
    if (command.do === "choose") {
      const choice = this.task.choices.find(({ id }) => id === command.id);
      if (choice && tile) this.mark(tile, choice);
    } else if (command.do === "field") {
      const field = this.task.fields.find(({ id }) => id === command.id);
      if (field && tile) this.tick(tile, field);
    } else {
      this.command(command.do, tile);
    }
  }

  private command(command: PageCommand, tile: Tile | undefined): void {
    if (command === "look" && tile) this.setMark(tile, this.marks.get(tile.item.item)?.outcome === "look" ? null : { outcome: "look", choice: null, fields: {} });
    if (command === "cannot_tell" && tile) this.setMark(tile, { outcome: "cannot_tell", choice: null, fields: {} });
    if (command === "enlarge" && tile) this.enlarge(tile);
    if (command === "overlay") this.toggleOverlay();
    if (command === "sign") this.confirm();
    if (command === "undo") this.undo();
    if (command === "help") showHelp(this.task, this.keymap, "sheet", `Scans without a mark are signed as “${this.defaultTitle}”.`);
    if (command === "leave") location.hash = "#/";
  }

  /** Mark a scan with a choice; the same choice again, or the default one, takes the mark away. */
  private mark(tile: Tile, choice: Choice): void {
    const before = this.marks.get(tile.item.item);
    if (choice.id === this.sheet?.default_choice || before?.choice === choice.id) return this.setMark(tile, null);
    const answer = new Draft(this.task).answer(choice);
    if ("conflict" in answer) this.shell.tell(answer.conflict);
    else this.setMark(tile, answer);
  }

  /** Tick a field of the exception; without one, the first choice with which the field goes is meant. */
  private tick(tile: Tile, field: Field): void {
    const before = this.marks.get(tile.item.item);
    const choice = this.task.choices.find(({ id, fields }) => fields.includes(field.id) && (before?.choice ?? id) === id);
    if (choice === undefined) return this.shell.tell(`“${field.title}” does not go with “${before === undefined ? this.defaultTitle : words(before, this.task)}”.`);
    const draft = new Draft(this.task);
    for (const [id, value] of Object.entries(before?.fields ?? {})) draft.values.set(id, value);
    draft.toggle(field);
    const answer = draft.answer(choice);
    if ("conflict" in answer) this.shell.tell(answer.conflict);
    else this.setMark(tile, answer);
  }

  private setMark(tile: Tile, answer: Answer | null): void {
    this.marks.set(tile.item.item, answer);
    tile.show(answer ?? undefined, this.defaultTitle);
    this.shell.say(tile.button.getAttribute("aria-label") ?? "");
    this.showBottom();
  }

  private get columns(): number {
    const top = this.tiles[0]?.element.offsetTop;
    const place = this.tiles.findIndex((tile) => tile.element.offsetTop !== top);
    return place === -1 ? Math.max(this.tiles.length, 1) : place;
  }

  private move(to: number): void {
    const tile = this.tiles[to];
    if (tile === undefined) return;
    this.focus = to;
    tile.button.focus();
    tile.button.scrollIntoView({ block: "nearest" });
  }

  private toggleOverlay(): void {
    this.overlay = !this.overlay;
    for (const tile of this.tiles) tile.render(this.overlay);
  }

  /** One scan large with all its pictures, and its answers as buttons: the way to mark without a keyboard. */
  private enlarge(tile: Tile): void {
    const stage = new Stage(this.pictures);
    this.enlarged = stage;
    const button = (text: string, key: string, act: () => void): HTMLElement => h("button", { type: "button", onClick: () => (act(), box.close()) }, cap(key), h("span", {}, text));
    const actions = h(
      "div",
      { class: "row" },
      ...this.task.choices.map((choice) => button(choice.title, printed(choice.key), () => (choice.id === this.sheet?.default_choice ? this.setMark(tile, null) : this.mark(tile, choice)))),
      button("Look closer", this.keymap.keyOf("look"), () => this.command("look", tile)),
    );
    const box = dialog(`Scan ${tile.place + 1}`, stage.element, actions);
    box.classList.add("wide");
    box.addEventListener("keydown", (event) => {
      const name = pressed(event);
      const command = name === null ? undefined : this.keymap.command(name);
      if (command === undefined || event.repeat || command.do === "leave") return;
      if (command.do === "next" || command.do === "previous") return stage.turn(command.do === "next" ? 1 : -1);
      if (command.do === "overlay") return stage.toggleOverlay();
      if (command.do === "choose" || command.do === "field" || command.do === "look" || command.do === "enlarge") {
        event.preventDefault();
        box.close();
        if (command.do !== "enlarge") this.key(event);
      }
    });
    box.addEventListener("close", () => {
      this.enlarged = null;
      tile.render(this.overlay);
      for (const name of stage.shown.pictures) this.opened.add(name);
      tile.button.focus();
    });
    void stage.show(tile.item);
  }

  /** Pictures beyond the tiles' own that were looked at. */
  private readonly opened = new Set<string>();

  private showBottom(): void {
    if (this.sheet === null) return;
    const unseen = this.tiles.filter((tile) => !tile.seen && !tile.failed).length;
    const blind = this.tiles.filter((tile) => tile.failed && !this.marks.get(tile.item.item)).length;
    const rest = this.tiles.length - this.marks.size;
    const blocked = unseen > 0 ? `${count(unseen, "scan")} not seen yet: scroll down` : blind > 0 ? `${count(blind, "scan")} without a picture: mark with ${this.keymap.keyOf("look")}` : null;
    const sign = h("button", { type: "button", class: "primary", id: "sign", "aria-keyshortcuts": "s", "aria-disabled": String(blocked !== null), onClick: () => this.confirm() }, cap(this.keymap.keyOf("sign")), h("span", {}, "Sign the sheet"));
    fill(
      this.bottom,
      this.lastSigned(),
      h("p", { class: "tally" }, h("b", {}, `${rest} ${this.defaultTitle.toLowerCase()}`), this.marks.size > 0 && h("span", { class: "exceptions" }, count(this.marks.size, "exception")), blocked !== null && h("span", { class: "hint" }, blocked)),
      sign,
    );
    this.bottom.dataset["ready"] = String(blocked === null);
  }

  /** A signature says what it means before it is given. */
  private confirm(): void {
    if (this.sheet === null || this.bottom.dataset["ready"] !== "true") {
      this.shell.tell(this.bottom.querySelector(".hint")?.textContent ?? "The sheet cannot be signed yet.");
      return;
    }
    const rest = this.tiles.length - this.marks.size;
    const yes = h("button", { type: "button", class: "primary", id: "sign-now", autofocus: true }, cap(this.keymap.keyOf("sign")), h("span", {}, "Sign"));
    const box = dialog(
      "Sign this sheet",
      h("p", {}, `I, ${this.app.user}, looked at all ${this.tiles.length} scans of this sheet. ${count(rest, "scan")}: ${this.defaultTitle.toLowerCase()}.`),
      this.marks.size > 0 && h("ul", {}, ...this.tiles.filter((tile) => this.marks.get(tile.item.item)).map((tile) => h("li", {}, `Scan ${tile.place + 1}: ${words(this.marks.get(tile.item.item) as Answer, this.task)}`))),
      h("div", { class: "row" }, yes, h("button", { type: "button", onClick: () => box.close() }, "Back to the sheet")),
    );
    const sign = (): void => {
      box.close();
      this.sign();
    };
    yes.addEventListener("click", sign);
    box.addEventListener("keydown", (event) => {
      if (!event.repeat && pressed(event) === this.keymap.keyOf("sign").toLowerCase()) {
        event.preventDefault();
        sign();
      }
    });
  }

  private sign(): void {
    const { sheet } = this;
    if (sheet === null || this.app.sender === null) return;
    const pictures = new Set([...this.opened, ...this.tiles.filter((tile) => tile.seen).flatMap((tile) => tile.mainPicture ?? [])]);
    const act: Signature = {
      kind: "sign",
      order: newOrder(),
      user: this.app.user,
      study: this.app.study,
      words: `${this.task.title}: sheet of ${this.tiles.length} signed, ${count(this.marks.size, "exception")}`,
      sheet: sheet.id,
      body: { key: newKey(), seconds: this.watch.seconds, exceptions: this.marks.all(), shown: { pictures: [...pictures], viewer: false, overlay: this.tiles.some((tile) => tile.overlaySeen) } },
    };
    this.app.sender.submit(act);
    this.signed = { act, count: this.tiles.length };
    this.pace.decided(this.tiles.length);
    this.marks.drop();
    this.opened.clear();
    void this.load();
  }

  private readonly onSettled = (settled: Settled): void => {
    if (settled.act.kind !== "sign") return;
    if (settled.how === "refused") this.shell.tell(`Not accepted: ${settled.reason}`, 8_000);
    if (settled.how === "stored" && settled.act.body.key === this.signed?.act.body.key) this.told = settled.receipt.machine as Record<string, Machine> | null;
    if (this.sheet === null) void this.load();
    else this.showBottom();
  };

  private told: Record<string, Machine> | null = null;

  /** What was signed last, and where the machine had said otherwise. */
  private lastSigned(): HTMLElement | null {
    if (this.signed === null) return null;
    const differ = Object.values(this.told ?? {}).filter(({ agrees }) => agrees === false).length;
    const machine = this.told === null ? "" : differ === 0 ? " The machine had said the same." : ` The machine had said otherwise for ${differ}.`;
    return h("p", { class: "last" }, `Signed: ${count(this.signed.count, "scan")}.${machine} `, h("button", { type: "button", class: "quiet", "data-command": "undo", onClick: () => this.undo() }, cap(this.keymap.keyOf("undo")), h("span", {}, "Undo")));
  }

  /** Take back the sheet signed last, event by event. */
  private undo(): void {
    const { signed, app } = this;
    if (signed === null || app.sender === null) return this.shell.tell("There is no sheet to take back.");
    const events = app.outbox.eventsOf(signed.act.body.key);
    if (events === null) return this.shell.tell("The signature is not stored yet; take it back when it is.");
    for (const event of events) {
      app.sender.submit({ kind: "undo", order: newOrder(), user: app.user, study: app.study, words: `Take back: decision ${event} of a sheet`, of: { event }, body: { key: newKey() } });
    }
    this.pace.undone(signed.count);
    this.signed = null;
    this.told = null;
    this.shell.tell(`Taken back: ${count(events.length, "scan")}. They come again.`);
    this.showBottom();
  }

  private async renew(): Promise<void> {
    if (document.hidden || this.sheet === null) return;
    await this.app.api.renew(this.sheet.items.map(({ item }) => item)).catch(() => null);
  }

  private end(): void {
    fill(this.bottom, this.lastSigned());
    fill(this.grid, h("li", { class: "end" }, h("h2", {}, "Nothing left here for you"), h("p", {}, "All scans of this list are signed, or with other people."), h("a", { class: "button", href: "#/" }, "To the overview")));
  }
}
