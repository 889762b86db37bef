/**
 * Every video that some page shows, by the identity of its bytes, and the way of each to its verdict.
 *
 * The service worker that holds this may die at any point: then pages open their channels again and say `show`
 * anew, verdicts and the ids of scans under way come back from `Memory`, and nothing else is needed.
 */

import { HostError, type HostState, LinkLost, type NativeLink, type ScanNews } from '../native/link'
import { type ByteSource, TooLarge, upload } from '../native/upload'
import type { FromLook } from '../protocol'
import type { Unreachable, View } from '../views'
import type * as wire from '../wire/native'
import type { Look, Looks } from './looks'
import type { Memory } from './memory'
import { PageBytes } from './page_bytes'
import type { ScanQueue } from './queue'
import { type FetchedBytes, hadNoBytes, mayFetch, OutOfReach, withinReach } from './reach'
import { refusal, SHOWN_ALL_THE_SAME } from './refusal'
import type { Subject, Watcher } from './subject'

export type { Watcher } from './subject'

export interface ScansOptions {
  link: Pick<NativeLink, 'ask' | 'limits' | 'state' | 'open'>
  memory: Memory
  queue: ScanQueue
  newId: () => string
  fetchBytes: (url: string, pageUrl: string) => Promise<FetchedBytes>
  setTimer: (run: () => void, ms: number) => unknown
  /** Shown pictures where bytes cannot be had. */
  looks: Looks
}

interface Followed {
  resolve: (scan: wire.Scan) => void
  reject: (error: Error) => void
  subject: Subject
}

// A host that dies on the same video every time must not be started for it for ever.
const MOST_BREAKS = 3
const DEFAULT_CHUNK_BYTES = 512 * 1024
export class Scans {
  private readonly subjects = new Map<string, Subject>()
  private readonly followed = new Map<string, Followed>()
  private readonly deliveries = new Map<string, { bytes: PageBytes; reader: Watcher }>()

  constructor(private readonly options: ScansOptions) {}

  /** A page shows this subject, or shows it in another way than before. */
  async watch(id: string, source: Subject['source'], watcher: Watcher): Promise<void> {
    const known = this.subjects.get(id)
    if (known) {
      known.watchers.add(watcher)
      watcher.tell(known.view)
      this.consider(known)
      return
    }
    const subject: Subject = {
      id,
      source,
      watchers: new Set([watcher]),
      view: { state: 'waiting' },
      fresh: false,
      asked: false,
      breaks: 0,
      running: false,
      stalled: false,
      scanId: null,
    }
    this.subjects.set(id, subject)
    const kept = await this.options.memory.verdict(id)
    if (kept) this.show(subject, { state: 'done', scan: kept.scan, dispute: kept.disputed ? 'sent' : 'none' })
    else {
      for (const each of subject.watchers) each.tell(subject.view)
      // A scan that an earlier life of this worker began is taken up again whoever looks at it now.
      if (await this.options.memory.scanUnderway(id)) this.enqueue(subject)
    }
    this.consider(subject)
  }

  unwatch(id: string, watcher: Watcher): void {
    const subject = this.subjects.get(id)
    if (!subject?.watchers.delete(watcher)) return
    for (const { bytes, reader } of this.deliveries.values()) if (reader === watcher) bytes.lost()
    if (subject.watchers.size > 0) return
    this.options.queue.drop(id)
    this.options.looks.drop(id)
    if (subject.running || subject.scanId) this.cancel(subject)
    if (!subject.running) this.subjects.delete(id)
  }

  /** The user asks. `fresh` looks again even where an answer is known. */
  async check(id: string, fresh: boolean): Promise<void> {
    const subject = this.subjects.get(id)
    if (!subject || subject.running) return
    subject.fresh ||= fresh
    subject.asked = true
    subject.breaks = 0
    if (fresh) await this.options.memory.forget(id)
    this.options.link.open(true)
    this.enqueue(subject)
  }

  /** The user says that the verdict is wrong. */
  async dispute(id: string): Promise<void> {
    const subject = this.subjects.get(id)
    if (subject?.view.state !== 'done') return
    const { scan } = subject.view
    this.show(subject, { state: 'done', scan, dispute: 'sending' })
    try {
      await this.options.link.ask({ type: 'feedback', scan_id: scan.id, agrees: false })
      await this.options.memory.keepVerdict(id, scan, true)
      this.show(subject, { state: 'done', scan, dispute: 'sent' })
    } catch {
      // Whatever the reason, the user only needs to know that it did not arrive and can be tried again.
      this.show(subject, { state: 'done', scan, dispute: 'failed' })
    }
  }

  /** A page shows pictures that it was asked for. */
  deliverPictures(message: FromLook): void {
    this.options.looks.deliver(message)
  }

  /** A page delivers bytes that it was asked for. */
  deliver(message: Parameters<PageBytes['deliver']>[0]): void {
    this.deliveries.get(message.job)?.bytes.deliver(message)
  }

  news(news: ScanNews): void {
    const scanId = news.scan_id
    const followed = scanId ? this.followed.get(scanId) : undefined
    if (!followed || !scanId) return
    switch (news.type) {
      case 'progress':
        // More pictures are scanned behind a verdict; it stands until the next one.
        if (followed.subject.view.state === 'done') break
        this.show(followed.subject, {
          state: 'checking',
          stage: news.progress.stage,
          fraction: news.progress.fraction ?? null,
        })
        break
      case 'evidence':
        break
      case 'result':
        this.followed.delete(scanId)
        followed.resolve(news.scan)
        break
      case 'error':
        this.followed.delete(scanId)
        followed.reject(new HostError(news))
        break
    }
  }

  linkReady(): void {
    for (const subject of this.subjects.values()) if (subject.stalled) this.enqueue(subject)
  }

  linkLost(): void {
    const open = [...this.followed.values()]
    this.followed.clear()
    for (const { reject } of open) reject(new LinkLost(null))
  }

  hostChanged(state: HostState): void {
    if (state.is === 'up') this.linkReady()
    if (state.is !== 'no_host') return
    for (const subject of this.subjects.values()) {
      if (subject.stalled) this.show(subject, { state: 'no_daemon', why: 'no_host', detail: null })
    }
  }

  /** Whether anybody waits for the host. */
  wanted(): boolean {
    if (this.options.queue.busy || this.options.looks.waiting) return true
    for (const subject of this.subjects.values()) if (subject.stalled || subject.running) return true
    return false
  }

  private consider(subject: Subject): void {
    // What was put off waits until the user asks, or the page is opened again.
    if (subject.view.state !== 'waiting' || subject.view.why || subject.running) return
    const eager = [...subject.watchers].some((watcher) => watcher.eager)
    if (eager) this.enqueue(subject)
    else this.options.queue.drop(subject.id)
  }

  private enqueue(subject: Subject): void {
    if (subject.running) return
    subject.stalled = false
    const eager = [...subject.watchers].some((watcher) => watcher.eager)
    this.options.queue.add(subject.id, eager, () => this.run(subject))
  }

  private async run(subject: Subject): Promise<void> {
    subject.running = true
    this.show(subject, { state: 'checking', stage: 'queued', fraction: null })
    try {
      const scan = await this.scan(subject)
      subject.fresh = false
      subject.asked = false
      subject.breaks = 0
      await this.options.memory.keepVerdict(subject.id, scan)
      this.show(subject, { state: 'done', scan, dispute: 'none' })
    } catch (error) {
      this.failed(subject, error)
    } finally {
      subject.running = false
      subject.scanId = null
      if (subject.watchers.size === 0) this.subjects.delete(subject.id)
    }
  }

  private async scan(subject: Subject): Promise<wire.Scan> {
    if (!subject.fresh) {
      const resumed = await this.resume(subject)
      if (resumed && !hadNoBytes(resumed)) return withinReach(resumed)
    }
    if (subject.source.kind === 'live') throw new OutOfReach('stream')
    if (subject.source.kind === 'page_bytes') return await this.scanPageBytes(subject)
    const { url } = subject.source
    const [watcher] = subject.watchers
    const pageUrl = watcher?.pageUrl ?? null
    const accepted = await this.options.link.ask<wire.Accepted>({
      type: 'scan',
      source: { kind: 'url', url, page_url: pageUrl },
      fresh: subject.fresh,
      automatic: !subject.asked,
    })
    const scan = await this.follow(subject, accepted.scan_id)
    return hadNoBytes(scan) ? await this.scanFetchedBytes(subject, url, scan) : withinReach(scan)
  }

  private async resume(subject: Subject): Promise<wire.Scan | null> {
    const scanId = await this.options.memory.scanUnderway(subject.id)
    if (!scanId) return null
    try {
      // Listen before asking: the result may follow the answer at once.
      const result = this.follow(subject, scanId)
      result.catch(() => undefined)
      await this.options.link.ask({ type: 'get', scan_id: scanId })
      return await result
    } catch (error) {
      this.followed.delete(scanId)
      // 203: the daemon has forgotten it, so it is begun again. Anything else is as for a new scan.
      if (!(error instanceof HostError && error.code === 203)) throw error
      await this.options.memory.forgetUnderway(subject.id)
      return null
    }
  }

  private async scanFetchedBytes(subject: Subject, url: string, refusal: wire.Scan): Promise<wire.Scan> {
    const allowed = [...subject.watchers].find((each) => mayFetch(url, each.pageUrl, each.loaded))
    if (!allowed) throw new OutOfReach('address', refusal.verdict.headline)
    const bytes = await this.options.fetchBytes(url, allowed.pageUrl)
    try {
      return await this.uploaded(subject, bytes, url, allowed.pageUrl)
    } finally {
      bytes.stop()
    }
  }

  private async scanPageBytes(subject: Subject): Promise<wire.Scan> {
    const [watcher] = subject.watchers
    if (!watcher) throw new OutOfReach('gone')
    const job = this.options.newId()
    // The host's limits are known only once a port is ready; asking for its state makes sure of one, so that
    // no page reads a file into memory for a host that is not there.
    await this.options.link.ask({ type: 'status' })
    const chunkBytes = this.options.link.limits?.chunk_bytes ?? DEFAULT_CHUNK_BYTES
    try {
      const bytes = await PageBytes.begin(job, watcher.key, chunkBytes, watcher.send, (begun) =>
        this.deliveries.set(job, { bytes: begun, reader: watcher }),
      )
      return await this.uploaded(subject, bytes, null, watcher.pageUrl)
    } finally {
      this.deliveries.delete(job)
    }
  }

  private async uploaded(
    subject: Subject,
    bytes: ByteSource,
    url: string | null,
    pageUrl: string,
  ): Promise<wire.Scan> {
    const about = { url, pageUrl, fresh: subject.fresh, automatic: !subject.asked }
    const onProgress = (fraction: number | null) =>
      this.show(subject, { state: 'checking', stage: 'upload', fraction })
    const scanId = await upload(this.options.link, this.options.newId(), bytes, about, onProgress)
    return await this.follow(subject, scanId)
  }

  private follow(subject: Subject, scanId: string): Promise<wire.Scan> {
    subject.scanId = scanId
    const result = new Promise<wire.Scan>((resolve, reject) => {
      this.followed.set(scanId, { resolve, reject, subject })
    })
    // The worker may die from here on: the next one finds the id and asks for the scan by it.
    void this.options.memory.keepUnderway(subject.id, scanId)
    return result
  }

  private cancel(subject: Subject): void {
    const scanId = subject.scanId
    if (!scanId) return
    void this.options.memory.forgetUnderway(subject.id)
    this.options.link.ask({ type: 'cancel', scan_id: scanId }).catch(() => undefined)
    this.followed.get(scanId)?.reject(new OutOfReach('gone'))
    this.followed.delete(scanId)
  }

  private failed(subject: Subject, error: unknown): void {
    if (error instanceof LinkLost) this.stall(subject, error)
    else if (error instanceof OutOfReach) this.outOfReach(subject, error.why, error.detail)
    else if (error instanceof TooLarge) this.outOfReach(subject, 'too_large', null)
    else if (error instanceof HostError) this.refused(subject, error)
    else {
      console.error('Touchstone: scan failed', error)
      this.show(subject, { state: 'unreachable', why: 'failed', detail: String(error) })
    }
    if (!subject.stalled) void this.options.memory.forgetUnderway(subject.id)
  }

  /** Its bytes cannot be had. Where the browser shows it all the same, its pictures are looked at. */
  private outOfReach(subject: Subject, why: Unreachable, detail: string | null): void {
    // What the browser could not load either has no pictures.
    const watcher = [...subject.watchers].find(({ loaded }) => loaded)
    const looks = this.options.looks
    if (!watcher || !SHOWN_ALL_THE_SAME.has(why) || !looks.allowed) {
      this.show(subject, { state: 'unreachable', why, detail })
      return
    }
    const look: Look = looks.begin(subject.id, watcher, {
      about: {
        url: subject.source.kind === 'url' ? subject.source.url : null,
        pageUrl: watcher.pageUrl,
        fresh: subject.fresh,
        automatic: !subject.asked,
      },
      follow: (scanId) => this.follow(subject, scanId),
      onRuns: (runs) => {
        if (subject.view.state !== 'done') this.show(subject, { state: 'looking', why, runs })
      },
      onScan: async (scan) => {
        subject.scanId = null
        subject.fresh = false
        subject.asked = false
        await this.options.memory.keepVerdict(subject.id, scan)
        this.show(subject, { state: 'done', scan, dispute: 'none' })
      },
      onRefusal: (refusal) => {
        if (subject.view.state !== 'done') {
          this.show(subject, { state: 'unreachable', why: refusal, detail: null })
        }
      },
      onError: (error) => {
        // What a verdict was reached on stands, though more might have been seen.
        if (subject.view.state !== 'done' && this.subjects.get(subject.id) === subject) {
          this.failed(subject, error)
        }
      },
    })
    this.show(subject, { state: 'looking', why, runs: 0 })
    look.ask()
  }

  private stall(subject: Subject, error: LinkLost): void {
    subject.breaks += 1
    if (this.options.link.state.is === 'no_host') {
      subject.stalled = true
      this.show(subject, { state: 'no_daemon', why: 'no_host', detail: null })
    } else if (subject.breaks > MOST_BREAKS) {
      this.show(subject, { state: 'unreachable', why: 'failed', detail: error.message })
    } else {
      subject.stalled = true
    }
  }

  private refused(subject: Subject, error: HostError): void {
    const { view, againMs } = refusal(error)
    if (view) this.show(subject, view)
    if (againMs === null) return
    subject.stalled = true
    this.askAgain(subject, againMs)
  }

  private askAgain(subject: Subject, ms: number): void {
    // Should the worker die before this fires, the page's next `show` asks again.
    this.options.setTimer(() => {
      if (subject.stalled && subject.watchers.size > 0) this.enqueue(subject)
    }, ms)
  }

  private show(subject: Subject, view: View): void {
    subject.view = view
    for (const watcher of subject.watchers) watcher.tell(view)
  }
}
