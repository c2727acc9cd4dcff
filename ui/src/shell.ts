import type { App } from "./app.ts";
import { cap, fill, h } from "./dom.ts";
import { OutboxPill } from "./outbox_pill.ts";
import { currentTheme, nextTheme } from "./theme.ts";

const THEME_WORDS = { auto: "Colours: as the computer", light: "Colours: light", dark: "Colours: dark" };
const THEME_SIGNS = { auto: "◐", light: "☀", dark: "☾" };

/** The frame around each screen: header with the state of what is unsent, the place of the screen, and the live region. */
export class Shell {
  readonly main = h("main", { id: "main", tabindex: -1 });
  private readonly middle = h("div", { class: "middle" });
  private readonly live = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
  private readonly toast = h("div", { class: "toast", role: "alert", hidden: true });
  private readonly pill: OutboxPill;
  private readonly help = h("button", { type: "button", class: "quiet", "aria-keyshortcuts": "?" }, "Keys", cap("?"));
  private hideToast: ReturnType<typeof setTimeout> | undefined;

  constructor(
    app: App,
    page: HTMLElement,
    onHelp: () => void,
    onLogout: () => void,
  ) {
    this.pill = new OutboxPill(app);
    this.help.addEventListener("click", onHelp);
    const session = app.session;
    const header = h(
      "header",
      { class: "bar" },
      h("a", { class: "brand", href: "#/" }, h("span", { class: "mark", "aria-hidden": "true" }), h("span", {}, "BrainSift")),
      this.middle,
      h(
        "div",
        { class: "tools" },
        this.pill.element,
        this.help,
        this.themeButton(),
        h("button", { type: "button", class: "quiet who", title: "Log out", onClick: onLogout }, session?.user.name ?? "", h("span", { class: "unseen" }, ": log out")),
      ),
    );
    fill(page, h("a", { class: "skip", href: "#main", onClick: (event: Event) => this.skip(event) }, "To the content"), header, this.main, this.toast, this.live);
  }

  /** What stands in the middle of the header: where the person is, and how far. */
  head(...children: (Node | string)[]): void {
    fill(this.middle, ...children);
  }

  /** Say something to those who listen. */
  say(text: string): void {
    this.live.textContent = text;
  }

  /** Say something to everybody for a while. */
  tell(text: string, milliseconds = 4_000): void {
    clearTimeout(this.hideToast);
    this.toast.textContent = text;
    this.toast.hidden = false;
    this.hideToast = setTimeout(() => (this.toast.hidden = true), milliseconds);
  }

  leave(): void {
    this.pill.leave();
    clearTimeout(this.hideToast);
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.main.focus();
  }

  private themeButton(): HTMLElement {
    const button = h("button", { type: "button", class: "quiet icon" });
    const show = (): void => {
      const theme = currentTheme();
      fill(button, h("span", { "aria-hidden": "true" }, THEME_SIGNS[theme]));
      button.setAttribute("aria-label", THEME_WORDS[theme]);
      button.title = THEME_WORDS[theme];
    };
    button.addEventListener("click", () => {
      nextTheme();
      show();
    });
    show();
    return button;
  }
}
