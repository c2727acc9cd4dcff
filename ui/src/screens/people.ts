import { Refused } from "../api.ts";
import type { App, Screen } from "../app.ts";
import type { Role } from "../contract.ts";
import { dialog } from "../dialog.ts";
import { fill, h } from "../dom.ts";
import type { Shell } from "../shell.ts";

interface Person {
  name: string;
  role: Role;
  faces: boolean;
  simulated: boolean;
  active: boolean;
  since: string;
}

const ROLES: Role[] = ["reviewer", "adjudicator", "admin"];

/** Who may decide, and whether the trail of their decisions is whole; for administrators. */
export class People implements Screen {
  private readonly element = h("div", { class: "overview" });
  private readonly trail = h("p", { class: "hint", role: "status" }, "Checking the trail of decisions…");

  constructor(
    private readonly app: App,
    private readonly shell: Shell,
  ) {
    shell.main.replaceChildren(this.element);
    shell.head(h("span", { class: "place" }, "People"));
    void this.load();
    void this.check();
  }

  leave(): void {}

  private async load(): Promise<void> {
    try {
      const { users } = await this.app.api.get<{ users: Person[] }>("/api/users");
      const head = ["Name", "Role", "Sees faces", "Active", ""].map((text) => h("th", { scope: "col" }, text));
      fill(
        this.element,
        h("section", { class: "hello" }, h("h1", {}, "People"), this.trail, h("a", { class: "button", href: "#/" }, "To the overview")),
        h("section", { class: "card" }, h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...users.map((user) => this.row(user)))))),
        this.form(),
      );
    } catch (error) {
      this.fault(error);
    }
  }

  private async check(): Promise<void> {
    const found = await this.app.api.get<{ whole: boolean; events: number; fault: { position: number; cause: string } | null }>("/api/trail").catch(() => null);
    this.trail.textContent = found === null ? "" : found.whole ? `The trail of ${found.events} events is whole.` : `The trail is broken at event ${found.fault?.position}: ${found.fault?.cause}`;
    this.trail.className = found?.whole === false ? "note" : "hint";
  }

  private row(user: Person): HTMLElement {
    const own = user.name === this.app.user;
    const change = (body: Record<string, unknown>, text: string): HTMLElement => h("button", { type: "button", disabled: own, onClick: () => void this.change(user.name, body) }, text);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, user.name, user.simulated && h("span", { class: "hint" }, " simulated")),
      h("td", {}, user.role),
      h("td", {}, user.faces ? "yes" : "no"),
      h("td", {}, user.active ? "yes" : "no"),
      h("td", { class: "row" }, change({ faces: !user.faces }, user.faces ? "Hide faces" : "Show faces"), change({ active: !user.active }, user.active ? "Shut out" : "Let in"), change({ new_token: true }, "New token")),
    );
  }

  private form(): HTMLElement {
    const name = h("input", { id: "new-name", required: true, autocomplete: "off", spellcheck: "false" });
    const role = h("select", { id: "new-role" }, ...ROLES.map((value) => h("option", { value }, value)));
    const faces = h("input", { id: "new-faces", type: "checkbox" });
    const form = h("form", { class: "card new-person" }, h("h2", {}, "New person"), h("label", { for: "new-name" }, "Short name"), name, h("label", { for: "new-role" }, "Role"), role, h("label", { for: "new-faces", class: "check" }, faces, "May see faces"), h("button", { type: "submit", class: "primary" }, "Add"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.ask("POST", "/api/users", { name: name.value.trim(), role: role.value, faces: faces.checked, simulated: false });
    });
    return form;
  }

  private change(name: string, body: Record<string, unknown>): Promise<void> {
    return this.ask("PATCH", `/api/users/${encodeURIComponent(name)}`, body);
  }

  private async ask(method: string, path: string, body: unknown): Promise<void> {
    try {
      const { token } = await this.app.api.send<{ token: string | null }>(method, path, body);
      await this.load();
      if (token) dialog("A token, shown this once", h("p", {}, "Give it to the person by a safe way. Whoever has it decides in that person's name."), h("p", { class: "token" }, token));
    } catch (error) {
      this.fault(error);
    }
  }

  private fault(error: unknown): void {
    this.shell.tell(error instanceof Refused ? error.message : "The server does not answer.");
  }
}
