/** Making elements. Text goes in as text: a file name is somebody's input and is never read as HTML. */

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | null | undefined>;

/**
 * An element with attributes and children.
 *
 * `on…` with a function adds a listener; true writes an empty attribute; false, null and undefined write none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  fill(element, ...children);
  return element;
}

/** Put these children in the place of those that are there. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

/** The cap of a key, beside what it does; screen readers get it from `aria-keyshortcuts` instead. */
export function cap(key: string): HTMLElement | null {
  return key === "" ? null : h("kbd", { "aria-hidden": "true" }, key);
}
