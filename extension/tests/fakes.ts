/** Stand-ins for what the browser gives: channels, storage, time. */

import type { Channel, Store } from '../src/browser'
import type { Scan } from '../src/wire/native'

/** A channel whose other end is the test. */
export class FakeChannel implements Channel {
  readonly sent: Record<string, unknown>[] = []
  closed = false
  private readonly hear: ((message: unknown) => void)[] = []
  private readonly end: ((reason: string | undefined) => void)[] = []

  send(message: unknown): void {
    if (this.closed) throw new Error('Attempting to use a disconnected port object')
    this.sent.push(message as Record<string, unknown>)
  }

  onMessage(listener: (message: unknown) => void): void {
    this.hear.push(listener)
  }

  onClose(listener: (reason: string | undefined) => void): void {
    this.end.push(listener)
  }

  close(): void {
    this.closed = true
  }

  /** The other end says something. */
  say(message: unknown): void {
    for (const listener of this.hear) listener(message)
  }

  /** The other end goes away. */
  break(reason?: string): void {
    this.closed = true
    for (const listener of this.end) listener(reason)
  }
}

export class FakeStore implements Store {
  readonly held = new Map<string, unknown>()
  full = false

  async get<T>(key: string, fallback: T): Promise<T> {
    return this.held.has(key) ? (structuredClone(this.held.get(key)) as T) : fallback
  }

  async set(key: string, value: unknown): Promise<boolean> {
    if (this.full) return false
    this.held.set(key, structuredClone(value))
    return true
  }

  async remove(keys: string | string[]): Promise<void> {
    for (const key of [keys].flat()) this.held.delete(key)
  }

  async keys(): Promise<string[]> {
    return [...this.held.keys()]
  }
}

/** Timers that fire when the test says so. */
export class FakeTimers {
  readonly set: { run: () => void; ms: number }[] = []

  readonly setTimer = (run: () => void, ms: number): unknown => {
    const timer = { run, ms }
    this.set.push(timer)
    return timer
  }

  readonly clearTimer = (timer: unknown): void => {
    const at = this.set.indexOf(timer as { run: () => void; ms: number })
    if (at >= 0) this.set.splice(at, 1)
  }

  /** Fires the timer that was set for the shortest time. Returns that time. */
  fireNext(): number {
    const next = [...this.set].sort((a, b) => a.ms - b.ms)[0]
    if (!next) throw new Error('no timer is set')
    this.clearTimer(next)
    next.run()
    return next.ms
  }
}

/** Lets everything that waits on resolved promises run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function scanOf(
  change: Omit<Partial<Scan>, 'verdict'> & { verdict?: Partial<Scan['verdict']> } = {},
): Scan {
  return {
    schema: 'touchstone.scan/1',
    id: 'scan1',
    source: { kind: 'url', url: 'https://media.example/clip.mp4', size_bytes: 24 },
    evidence: [],
    checked: ['content_credentials', 'labels'],
    skipped: {},
    took_ms: 12,
    ...change,
    verdict: {
      label: 'no_signs',
      basis: 'none',
      strength: 'none',
      headline: 'No signs of AI found',
      ...change.verdict,
    },
  }
}
