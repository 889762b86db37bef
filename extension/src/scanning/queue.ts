/** Which scan comes next: visible videos before others, then first come, first served; a few at a time. */

interface Entry {
  id: string
  visible: boolean
  run: () => Promise<void>
}

export class ScanQueue {
  private readonly entries: Entry[] = []
  private running = 0

  constructor(private readonly atOnce: number) {}

  /** Queues a run under an id; an id that is queued already only has its visibility updated. */
  add(id: string, visible: boolean, run: () => Promise<void>): void {
    const known = this.entries.find((entry) => entry.id === id)
    if (known) known.visible = visible
    else this.entries.push({ id, visible, run })
    this.next()
  }

  /** Forgets an entry that has not started. */
  drop(id: string): void {
    const at = this.entries.findIndex((entry) => entry.id === id)
    if (at >= 0) this.entries.splice(at, 1)
  }

  get busy(): boolean {
    return this.running > 0 || this.entries.length > 0
  }

  private next(): void {
    while (this.running < this.atOnce && this.entries.length > 0) {
      const seen = this.entries.findIndex((entry) => entry.visible)
      const [entry] = this.entries.splice(Math.max(seen, 0), 1)
      if (!entry) return
      this.running += 1
      entry.run().finally(() => {
        this.running -= 1
        this.next()
      })
    }
  }
}
