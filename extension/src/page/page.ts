/** Everything of one frame put together: finder, watches, layout, and the line to the background. */

import type { Channel } from '../browser'
import type { FromPage, Shown, ToPage } from '../protocol'
import { type Corner, DEFAULTS } from '../settings'
import type { View } from '../views'
import { PageReading } from './bytes'
import { VideoFinder } from './finder'
import { PageLooks } from './looks'
import { Session } from './session'
import { addressOf } from './source'
import { VideoWatch } from './watch'

export interface PageOptions {
  window: Window
  connect: () => Channel
  alive: () => boolean
  shadowRootOf: (element: HTMLElement) => ShadowRoot | null
  pageFetch: typeof fetch
  newId: () => string
  /** The background wants to hear from every page: its worker was replaced, or settings changed. */
  onNudge: (listener: () => void) => void
}

// After mutations the page still works on what it added; a badge a twentieth of a second later is early enough.
const AFTER_MUTATIONS_MS = 50
// A header that slid over a video without any event is noticed at the latest this long after the last layout.
const SECOND_LOOK_MS = 400

export class Page {
  private readonly document: Document
  private readonly watches = new Map<HTMLVideoElement, VideoWatch>()
  private readonly readings = new Map<string, PageReading>()
  private readonly looks = new PageLooks((message) => this.send(message))
  private readonly said = new Map<string, string>()
  private readonly finder: VideoFinder
  private readonly session: Session
  private readonly pageId: string
  private corner: Corner = DEFAULTS.corner
  private automatic = DEFAULTS.automatic
  private enabled = false
  private layoutPlanned = false
  private secondLook: ReturnType<typeof setTimeout> | null = null
  private lastKey = 0

  constructor(private readonly options: PageOptions) {
    this.document = options.window.document
    this.pageId = options.newId()
    this.finder = new VideoFinder({
      document: this.document,
      shadowRootOf: options.shadowRootOf,
      soon: (work) => setTimeout(work, AFTER_MUTATIONS_MS),
      setTimer: (run, ms) => setTimeout(run, ms),
      found: (video) => this.found(video),
      changed: (video, event) => this.changed(video, event),
      lost: (video) => this.lost(video),
      onMutation: () => this.planLayout(),
    })
    this.session = new Session({
      connect: options.connect,
      alive: options.alive,
      random: Math.random,
      setTimer: (run, ms) => setTimeout(run, ms),
      onMessage: (message) => this.heard(message),
      waiting: () => this.waiting(),
      onOpen: () => this.sayEverything(),
      onOrphaned: () => this.stop(),
    })
  }

  /** Looks for videos. The background is woken only by the first one: most frames of the web have none. */
  start(): void {
    const { window } = this.options
    this.finder.start()
    this.document.addEventListener('scroll', this.planLayout, { capture: true, passive: true })
    this.document.addEventListener('fullscreenchange', this.planLayout)
    window.addEventListener('resize', this.planLayout, { passive: true })
    // A page that comes back from the back-forward cache has lost its channel without notice.
    window.addEventListener('pageshow', this.reconnect)
    this.document.addEventListener('visibilitychange', this.reconnect)
    this.options.onNudge(() => this.watches.size > 0 && this.session.open())
  }

  stop(): void {
    this.finder.stop()
    this.looks.stopAll()
    this.session.close()
    this.document.removeEventListener('scroll', this.planLayout, { capture: true })
    this.document.removeEventListener('fullscreenchange', this.planLayout)
    this.document.removeEventListener('visibilitychange', this.reconnect)
    this.options.window.removeEventListener('resize', this.planLayout)
    this.options.window.removeEventListener('pageshow', this.reconnect)
  }

  private readonly reconnect = (): void => {
    if (this.waiting()) this.session.open()
  }

  /** Whether some video of a page that is looked at has no answer yet. */
  private waiting(): boolean {
    if (this.document.visibilityState === 'hidden') return false
    return [...this.watches.values()].some(
      ({ view }) => view?.state === 'checking' || view?.state === 'no_daemon',
    )
  }

  private found(video: HTMLVideoElement): void {
    this.lastKey += 1
    const key = `v${this.lastKey}`
    const watch = new VideoWatch(video, {
      document: this.document,
      key,
      pageId: this.pageId,
      onLayout: this.planLayout,
      actions: {
        check: (fresh) => this.send({ type: 'check', key, fresh }),
        dispute: () => this.send({ type: 'dispute', key }),
        copy: (text) => this.copy(text),
      },
    })
    this.watches.set(video, watch)
    this.tell(watch)
    this.planLayout()
  }

  private changed(video: HTMLVideoElement, event: string): void {
    const watch = this.watches.get(video)
    if (!watch) return
    watch.reload(event)
    this.tell(watch)
    this.planLayout()
  }

  private lost(video: HTMLVideoElement): void {
    const watch = this.watches.get(video)
    if (!watch) return
    this.watches.delete(video)
    watch.stop()
    this.forget(watch.key)
  }

  /** Tells the background what a video shows, if that is new to it. */
  private tell(watch: VideoWatch): void {
    const shown = watch.shown()
    if (!shown) {
      watch.view = null
      this.forget(watch.key)
      this.planLayout()
      return
    }
    const now = identityOf(shown)
    if (this.said.get(watch.key) === now) return
    this.said.set(watch.key, now)
    this.send({ type: 'show', video: shown, pageUrl: this.address() })
  }

  /** Frames without an address of their own belong to the site whose origin they have. */
  private address(): string {
    const { location, origin } = this.options.window
    return location.protocol.startsWith('http') || !origin.startsWith('http') ? location.href : origin
  }

  private forget(key: string): void {
    if (this.said.delete(key)) this.send({ type: 'gone', key })
  }

  private sayEverything(): void {
    this.said.clear()
    // What was being read for a worker that died will be asked for again under another name.
    for (const reading of this.readings.values()) reading.stop()
    this.readings.clear()
    this.looks.stopAll()
    for (const watch of this.watches.values()) this.tell(watch)
  }

  private heard(message: ToPage): void {
    switch (message.type) {
      case 'settings':
        this.enabled = message.enabled
        this.automatic = message.automatic
        this.corner = message.corner
        for (const watch of this.watches.values()) if (watch.view) watch.update(watch.view, this.automatic)
        this.planLayout()
        break
      case 'view':
        this.show(message.key, message.view)
        break
      case 'read':
        this.read(message.job, message.key, message.chunkBytes)
        break
      case 'look':
        this.looks.begin(message.job, this.watchOf(message.key), message.chunkBytes)
        break
      case 'more':
        this.readings.get(message.job)?.more(message.nextSeq)
        this.looks.more(message.job, message.nextSeq)
        break
      case 'stop':
        this.readings.get(message.job)?.stop()
        this.looks.stop(message.job)
        break
      case 'reveal':
        this.reveal(message.key)
        break
    }
  }

  private show(key: string, view: View): void {
    this.watchOf(key)?.update(view, this.automatic)
    this.planLayout()
  }

  private read(job: string, key: string, chunkBytes: number): void {
    const watch = this.watchOf(key)
    if (!watch) {
      this.send({ type: 'bytes_failed', job, why: 'gone' })
      return
    }
    const reading = new PageReading(job, (message) => this.send(message))
    this.readings.set(job, reading)
    void reading
      .run(addressOf(watch.video), chunkBytes, this.options.pageFetch)
      .finally(() => this.readings.delete(job))
  }

  private reveal(key: string): void {
    const watch = this.watchOf(key)
    watch?.video.scrollIntoView({ block: 'center' })
    watch?.badge.focus()
  }

  private async copy(text: string): Promise<boolean> {
    try {
      await this.options.window.navigator.clipboard.writeText(text)
      return true
    } catch {
      // Pages without TLS have no clipboard, and frames may be denied it.
      return false
    }
  }

  private watchOf(key: string): VideoWatch | undefined {
    return [...this.watches.values()].find((watch) => watch.key === key)
  }

  private send(message: FromPage): void {
    this.session.send(message)
  }

  private readonly planLayout = (): void => {
    if (this.layoutPlanned || this.watches.size === 0) return
    this.layoutPlanned = true
    this.options.window.requestAnimationFrame(() => {
      this.layoutPlanned = false
      this.layOut()
      if (this.secondLook) clearTimeout(this.secondLook)
      this.secondLook = setTimeout(() => this.layOut(), SECOND_LOOK_MS)
    })
  }

  /** All reading first, then all writing: one layout of the page however many videos there are. */
  private layOut(): void {
    const { documentElement } = this.document
    const viewport = { width: documentElement.clientWidth, height: this.options.window.innerHeight }
    const now = performance.now()
    const measured = [...this.watches.values()].map(
      (watch) => [watch, watch.measure(now, this.corner)] as const,
    )
    for (const [watch, each] of measured) {
      if (watch.arrange(each, viewport, this.corner, this.enabled)) this.tell(watch)
    }
  }
}

/** What of a video makes a difference to the background. */
function identityOf({ source, visible, loaded }: Shown): string {
  return JSON.stringify([source, visible, loaded])
}
