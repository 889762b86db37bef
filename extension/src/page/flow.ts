// Chunks on their way at once: one being sent on by the background, one ready behind it.
const AHEAD = 2

/** Holds a sender back until the other side has used what it has. */
export class Flow {
  stopped = false
  private wanted = AHEAD
  private wake: (() => void) | null = null

  /** The other side has used everything before `nextSeq`. */
  more(nextSeq: number): void {
    this.wanted = Math.max(this.wanted, nextSeq + AHEAD)
    this.wake?.()
  }

  stop(): void {
    this.stopped = true
    this.wake?.()
  }

  /** Waits until chunk `seq` may go out, or all is stopped. */
  async untilWanted(seq: number): Promise<void> {
    while (seq >= this.wanted && !this.stopped) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
