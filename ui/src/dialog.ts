import { h } from "./dom.ts";

/** A dialog of the browser's own kind: it holds the focus, Escape closes it, and it gives the focus back. */
export function dialog(title: string, ...children: (Node | string | false | null | undefined)[]): HTMLDialogElement {
  const close = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "✕");
  const box = h("dialog", { "aria-label": title }, h("div", { class: "dialog-head" }, h("h2", {}, title), close), h("div", { class: "dialog-body" }, ...children));
  close.addEventListener("click", () => box.close());
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/** Whether a dialog has the keyboard. */
export function dialogOpen(): boolean {
  return document.querySelector("dialog[open]") !== null;
}
