import type { Item, Progress, Session, Sheet, Task } from "./contract.ts";

/** Longer than any answer takes that is still coming, shorter than a person waits without being told. */
const TIMEOUT_MS = 15_000;

/** The server answered, and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    readonly reason: string,
    readonly remedy: string,
    readonly retryAfterSeconds: number | null = null,
    readonly event: number | null = null,
  ) {
    super(`${reason} ${remedy}`.trim());
  }
}

/** No answer came: nobody knows whether the request arrived. */
export class Unreachable extends Error {}

/** Talks to the server that the page came from, and to no other. */
export class Api {
  csrf = "";

  async login(token: string): Promise<Session> {
    return this.enter(await this.send<Session>("POST", "/api/login", { token }));
  }

  async session(): Promise<Session> {
    return this.enter(await this.send<Session>("GET", "/api/session"));
  }

  async logout(): Promise<void> {
    await this.post("/api/logout", {});
    this.csrf = "";
  }

  async tasks(): Promise<Task[]> {
    return (await this.get<{ tasks: Task[] }>("/api/tasks")).tasks;
  }

  progress(): Promise<Progress> {
    return this.get("/api/progress");
  }

  hand(task: string, list: string, size: number): Promise<{ items: Item[]; open: number }> {
    return this.post(`/api/tasks/${encodeURIComponent(task)}/lists/${encodeURIComponent(list)}/hand`, { size });
  }

  sheet(task: string, list: string, size: number): Promise<{ sheet: Sheet | null; open: number }> {
    return this.post(`/api/tasks/${encodeURIComponent(task)}/lists/${encodeURIComponent(list)}/sheet`, { size });
  }

  renew(items: string[]): Promise<{ kept: string[]; lost: string[]; until: string }> {
    return this.post("/api/leases/renew", { items });
  }

  async release(kind: "items" | "sheets", id: string): Promise<void> {
    await this.post(`/api/${kind}/${encodeURIComponent(id)}/release`, {});
  }

  get<T>(path: string): Promise<T> {
    return this.send("GET", path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.send("POST", path, body);
  }

  /**
   * Ask, and give the answer's JSON.
   *
   * Throws `Refused` where the server said no and `Unreachable` where nothing came back.
   */
  async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (method !== "GET" && this.csrf !== "") headers["X-BrainSift-CSRF"] = this.csrf;
    let response: Response;
    let text: string;
    try {
      response = await fetch(path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        // What was pressed goes out even while the page is being closed.
        keepalive: method !== "GET",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch {
      throw new Unreachable("The server does not answer.");
    }
    const answer = parse(text);
    if (!response.ok) throw refusal(response, answer);
    if (answer === undefined) throw new Unreachable("The server's answer was cut off.");
    return answer as T;
  }

  private enter(session: Session): Session {
    this.csrf = session.csrf;
    return session;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(response: Response, answer: unknown): Refused {
  const error = (answer as { error?: Record<string, unknown> } | undefined)?.error ?? {};
  const word = (name: string, otherwise: string): string => (typeof error[name] === "string" ? error[name] : otherwise);
  const wait = Number(response.headers.get("Retry-After"));
  const event = error["event"] ?? (answer as { event?: unknown } | undefined)?.event;
  const position = typeof event === "number" ? event : (event as { position?: unknown } | undefined)?.position;
  return new Refused(
    response.status,
    word("kind", `status_${response.status}`),
    word("cause", `The server answered with status ${response.status}.`),
    word("remedy", ""),
    wait > 0 ? wait : null,
    typeof position === "number" ? position : null,
  );
}
