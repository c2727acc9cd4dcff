/** Seconds for which a scan was on a visible page. */
export class Stopwatch {
  private since: number | null = null;
  private sum = 0;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private visible: boolean = true,
  ) {}

  /** A new scan is visible. */
  start(): void {
    this.sum = 0;
    this.since = this.visible ? this.now() : null;
  }

  /** The page was hidden or shown. Time in which nobody can look is not counted. */
  setVisible(visible: boolean): void {
    if (visible === this.visible) return;
    this.visible = visible;
    if (!visible && this.since !== null) {
      this.sum += this.now() - this.since;
      this.since = null;
    } else if (visible && this.since === null) {
      this.since = this.now();
    }
  }

  /** Seconds since `start`, in hundredths, at most a day. */
  get seconds(): number {
    const milliseconds = this.sum + (this.since === null ? 0 : this.now() - this.since);
    return Math.min(Math.round(milliseconds / 10) / 100, 86_400);
  }
}
