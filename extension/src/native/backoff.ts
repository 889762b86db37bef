/** Waiting times between attempts: exponential up to a cap, the upper half of each left to chance. */

export interface BackoffOptions {
  firstMs: number
  capMs: number
  /** In [0, 1): handed in so that tests can fix it. */
  random: () => number
}

export class Backoff {
  private attempts = 0

  constructor(private readonly options: BackoffOptions) {}

  /** Milliseconds to wait before the next attempt; each call counts as one. Never less than half the ceiling. */
  next(): number {
    const { firstMs, capMs, random } = this.options
    const ceiling = Math.min(capMs, firstMs * 2 ** Math.min(this.attempts, 30))
    this.attempts += 1
    return Math.round(ceiling / 2 + (random() * ceiling) / 2)
  }

  reset(): void {
    this.attempts = 0
  }
}
