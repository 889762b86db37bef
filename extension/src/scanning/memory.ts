/**
 * What must outlive the service worker: verdicts, and the ids of scans under way. Kept in `storage.session`,
 * which is memory only and ends with the browser: what somebody watched is not written to disk here.
 */

import type { Store } from '../browser'
import type { Scan } from '../wire/native'

interface Kept {
  scan: Scan
  /** Milliseconds since the epoch. */
  at: number
  disputed: boolean
}

interface Underway {
  scanId: string
  at: number
}

// A scan is some kilobytes of JSON and storage.session holds 10 MB in both browsers.
const MOST_VERDICTS = 300
// Long enough for one sitting, short enough that a file replaced under its address is looked at again.
const VERDICT_TTL_MS = 6 * 3600 * 1000
const UNDERWAY_TTL_MS = 15 * 60 * 1000

const VERDICT = 'verdict:'
const UNDERWAY = 'underway:'

export class Memory {
  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {}

  async verdict(id: string): Promise<Kept | null> {
    const kept = await this.store.get<Kept | null>(VERDICT + id, null)
    return kept && this.now() - kept.at < VERDICT_TTL_MS ? kept : null
  }

  async keepVerdict(id: string, scan: Scan, disputed = false): Promise<void> {
    const kept: Kept = { scan, at: this.now(), disputed }
    if (!(await this.store.set(VERDICT + id, kept))) {
      // Most likely full: drop everything kept and try once more.
      await this.forgetOldest(0)
      await this.store.set(VERDICT + id, kept)
    }
    await this.store.remove(UNDERWAY + id)
    await this.forgetOldest(MOST_VERDICTS)
  }

  async forget(id: string): Promise<void> {
    await this.store.remove([VERDICT + id, UNDERWAY + id])
  }

  async scanUnderway(id: string): Promise<string | null> {
    const found = await this.store.get<Underway | null>(UNDERWAY + id, null)
    return found && this.now() - found.at < UNDERWAY_TTL_MS ? found.scanId : null
  }

  async keepUnderway(id: string, scanId: string): Promise<void> {
    await this.store.set(UNDERWAY + id, { scanId, at: this.now() } satisfies Underway)
  }

  async forgetUnderway(id: string): Promise<void> {
    await this.store.remove(UNDERWAY + id)
  }

  private async forgetOldest(most: number): Promise<void> {
    const keys = (await this.store.keys()).filter((key) => key.startsWith(VERDICT))
    if (keys.length <= most) return
    const dated = await Promise.all(
      keys.map(async (key) => ({ key, at: (await this.store.get<Kept | null>(key, null))?.at ?? 0 })),
    )
    dated.sort((a, b) => a.at - b.at)
    await this.store.remove(dated.slice(0, keys.length - most).map(({ key }) => key))
  }
}
