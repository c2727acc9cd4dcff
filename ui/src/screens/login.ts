import type { App } from "../app.ts";
import { Refused } from "../api.ts";
import { fill, h } from "../dom.ts";
import { count } from "../words.ts";

/** The door: a token, typed or taken from the address that the server printed. */
export function showLogin(app: App, page: HTMLElement, token: string | null, entered: () => void): void {
  const input = h("input", { type: "password", id: "token", name: "token", autocomplete: "current-password", required: true, spellcheck: "false", "aria-describedby": "token-help" });
  const button = h("button", { type: "submit", class: "primary" }, "Log in");
  const note = h("p", { class: "note", role: "alert", hidden: true });
  const waiting = app.outbox.others("", "");
  const form = h(
    "form",
    { class: "login" },
    h("p", { class: "brand" }, h("span", { class: "mark", "aria-hidden": "true" }), "BrainSift review"),
    h("h1", {}, "Log in"),
    // Password managers file a token under a user name; the server needs none.
    h("input", { type: "text", name: "username", autocomplete: "username", value: "brainsift-review", hidden: true }),
    h("label", { for: "token" }, "Your token"),
    input,
    h("p", { class: "hint", id: "token-help" }, "It was printed when your account was made. Whoever has it decides in your name."),
    note,
    button,
    waiting > 0 && h("p", { class: "hint" }, `${count(waiting, "act")} kept in this browser ${waiting === 1 ? "is" : "are"} sent after the login of whoever did ${waiting === 1 ? "it" : "them"}.`),
  );
  const enter = async (): Promise<void> => {
    note.hidden = true;
    button.disabled = true;
    try {
      app.enter(await app.api.login(input.value.trim()));
      entered();
    } catch (error) {
      note.hidden = false;
      note.textContent = words(error);
      button.disabled = false;
      input.select();
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void enter();
  });
  fill(page, h("main", { id: "main", class: "center" }, form));
  if (token !== null) {
    input.value = token;
    void enter();
  } else {
    input.focus();
  }
}

function words(error: unknown): string {
  if (!(error instanceof Refused)) return "The server does not answer. Is it running?";
  const wait = error.retryAfterSeconds === null ? "" : ` Try again in ${Math.ceil(error.retryAfterSeconds)} s.`;
  return error.message + wait;
}
