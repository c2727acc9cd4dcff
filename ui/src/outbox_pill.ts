import type { App } from "./app.ts";
import { dialog } from "./dialog.ts";
import { fill, h } from "./dom.ts";
import { count } from "./words.ts";

/** An answer on loopback comes sooner: no flicker of “saving” at each key. */
const PATIENCE_MS = 400;

/** The state of what is unsent, always in sight. */
export class OutboxPill {
  readonly element = h("button", { type: "button", class: "pill", id: "outbox" });
  private later: ReturnType<typeof setTimeout> | undefined;
  private readonly hear = (): void => this.change();

  constructor(private readonly app: App) {
    this.element.addEventListener("click", () => this.open());
    app.sending.add(this.hear);
    app.settled.add(this.hear);
    window.addEventListener("storage", this.hear);
    window.addEventListener("beforeunload", this.warn);
    this.show();
  }

  leave(): void {
    this.app.sending.delete(this.hear);
    this.app.settled.delete(this.hear);
    window.removeEventListener("storage", this.hear);
    window.removeEventListener("beforeunload", this.warn);
    clearTimeout(this.later);
  }

  private change(): void {
    clearTimeout(this.later);
    const calm = this.app.sender?.state === "sending" && this.element.dataset["state"] === "saved";
    this.element.dataset["unsent"] = String(this.app.sender?.unsent.length ?? 0);
    if (calm) this.later = setTimeout(() => this.show(), PATIENCE_MS);
    else this.show();
  }

  private show(): void {
    const [state, text] = this.words();
    this.element.dataset["state"] = state;
    this.element.dataset["unsent"] = String(this.app.sender?.unsent.length ?? 0);
    fill(this.element, h("span", { class: "dot", "aria-hidden": "true" }), h("span", {}, text));
  }

  private words(): [string, string] {
    const { outbox, sender, user, study } = this.app;
    const unsent = sender?.unsent.length ?? 0;
    const refused = outbox.refused(user, study).length;
    if (refused > 0) return ["refused", `${refused} not accepted`];
    if (!outbox.durable && unsent > 0) return ["refused", `${unsent} unsent, do not close`];
    if (unsent === 0) {
      const others = outbox.others(user, study);
      return others > 0 ? ["waiting", `${others} of somebody else`] : ["saved", "All saved"];
    }
    if (sender?.state === "waiting") return ["waiting", `${unsent} kept, not sent yet`];
    if (sender?.state === "login") return ["waiting", `${unsent} kept: log in`];
    return ["sending", `Saving ${unsent}`];
  }

  /** Leaving loses something only where the browser keeps nothing. */
  private readonly warn = (event: BeforeUnloadEvent): void => {
    if (!this.app.outbox.durable && (this.app.sender?.unsent.length ?? 0) > 0) event.preventDefault();
  };

  private open(): void {
    const { outbox, sender, user, study } = this.app;
    const unsent = sender?.unsent ?? [];
    const refused = outbox.refused(user, study);
    const others = outbox.others(user, study);
    dialog(
      "What is saved",
      unsent.length === 0
        ? h("p", {}, "The server has stored every decision you made on this computer.")
        : h(
            "div",
            {},
            h("p", {}, `${count(unsent.length, "act")} kept in this browser. They are sent as soon as the server answers, also after a reload.`),
            h("ul", {}, ...unsent.slice(0, 20).map((act) => h("li", {}, act.words))),
          ),
      refused.length > 0 &&
        h(
          "div",
          { class: "refused" },
          h("h3", {}, "Not accepted by the server"),
          h("ul", {}, ...refused.map(({ act, reason }) => h("li", {}, h("strong", {}, act.words), h("br"), reason))),
          h(
            "button",
            {
              type: "button",
              onClick: (event: MouseEvent) => {
                for (const one of refused) outbox.forget(one);
                this.show();
                (event.target as HTMLElement).closest("dialog")?.close();
              },
            },
            "I have read this",
          ),
        ),
      others > 0 && h("p", {}, `${count(others, "act")} of another person or study ${others === 1 ? "waits" : "wait"} in this browser until that person logs in here, or that study is served here.`),
      !outbox.durable && h("p", { class: "refused" }, "This browser keeps nothing (private window, or storage is full): do not close the page before all is sent."),
      unsent.length > 0 && h("button", { type: "button", onClick: () => sender?.kick() }, "Try now"),
    );
  }
}
