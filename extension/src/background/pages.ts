/** The channels of content scripts: what each frame shows, and the messages to and from it. */

import { fileName, siteOf, withoutFragment } from '../addresses'
import type { Channel, Sender } from '../browser'
import type { FromPage, Shown, ToPage, VideoRow } from '../protocol'
import type { Scans, Watcher } from '../scanning/scans'
import type { Settings } from '../settings'
import type { View } from '../views'

interface Row {
  shown: Shown
  view: View
  /** What `Scans` knows it by; null where there is nothing to scan. */
  subject: string | null
  watcher: Watcher
}

interface Page {
  channel: Channel
  sender: Sender
  rows: Map<string, Row>
}

export class Pages {
  private readonly pages = new Set<Page>()

  constructor(
    private readonly scans: Scans,
    private settings: Settings,
    private readonly onChange: (tabId: number | null) => void,
  ) {}

  /** Messages of the page are taken up once `ready`, in their order. */
  connect(channel: Channel, sender: Sender, ready: Promise<void>): void {
    const page: Page = { channel, sender, rows: new Map() }
    this.pages.add(page)
    channel.onMessage((message) => void ready.then(() => this.receive(page, message as FromPage)))
    channel.onClose(() => {
      this.pages.delete(page)
      for (const key of [...page.rows.keys()]) this.gone(page, key)
    })
    void ready.then(() => this.sendSettings(page))
  }

  applySettings(settings: Settings): void {
    this.settings = settings
    for (const page of this.pages) {
      this.sendSettings(page)
      for (const row of page.rows.values()) this.consider(page, row)
    }
  }

  /** The videos of a tab, in the order in which they were found. */
  rowsOf(tabId: number): VideoRow[] {
    const rows: VideoRow[] = []
    for (const page of this.pages) {
      if (page.sender.tabId !== tabId) continue
      for (const [key, { shown, view }] of page.rows) {
        const name = shown.source.kind === 'url' ? fileName(shown.source.url) : null
        rows.push({ frameId: page.sender.frameId, key, name, view })
      }
    }
    return rows
  }

  /** Does something with one video of a tab, on behalf of the popup. */
  onRow(tabId: number, frameId: number, key: string, what: 'check' | 'reveal'): void {
    for (const page of this.pages) {
      if (page.sender.tabId !== tabId || page.sender.frameId !== frameId) continue
      const row = page.rows.get(key)
      if (!row) continue
      if (what === 'reveal') this.send(page, { type: 'reveal', key })
      else if (row.subject) void this.scans.check(row.subject, row.view.state === 'done')
    }
  }

  private receive(page: Page, message: FromPage): void {
    switch (message.type) {
      case 'show':
        this.shown(page, message.video, message.pageUrl)
        break
      case 'gone':
        this.gone(page, message.key)
        break
      case 'check': {
        const subject = page.rows.get(message.key)?.subject
        if (subject) void this.scans.check(subject, message.fresh)
        break
      }
      case 'dispute': {
        const subject = page.rows.get(message.key)?.subject
        if (subject) void this.scans.dispute(subject)
        break
      }
      case 'bytes':
      case 'bytes_end':
      case 'bytes_failed':
        this.scans.deliver(message)
        break
      case 'run':
      case 'run_chunk':
      case 'run_end':
      case 'look_refused':
        this.scans.deliverPictures(message)
        break
    }
  }

  private shown(page: Page, shown: Shown, pageUrl: string): void {
    const subject = subjectOf(shown)
    const known = page.rows.get(shown.key)
    if (known && known.subject !== subject) this.gone(page, shown.key)
    const row = page.rows.get(shown.key) ?? this.newRow(page, shown, subject)
    row.shown = shown
    row.watcher.pageUrl = pageUrl
    this.consider(page, row)
  }

  private newRow(page: Page, shown: Shown, subject: string | null): Row {
    const watcher: Watcher = {
      pageUrl: page.sender.url,
      key: shown.key,
      eager: false,
      loaded: false,
      tell: (view) => {
        row.view = view
        this.send(page, { type: 'view', key: shown.key, view })
        this.onChange(page.sender.tabId)
      },
      send: (message) => this.send(page, message),
    }
    const row: Row = { shown, view: { state: 'waiting' }, subject, watcher }
    page.rows.set(shown.key, row)
    this.onChange(page.sender.tabId)
    return row
  }

  private consider(page: Page, row: Row): void {
    const { shown, watcher, subject } = row
    if (shown.source.kind === 'none') {
      watcher.tell({ state: 'unreachable', why: shown.source.why, detail: null })
      return
    }
    watcher.eager = this.settings.automatic && this.enabled(page) && shown.visible && shown.loaded !== 'no'
    watcher.loaded = shown.loaded === 'yes'
    if (subject) void this.scans.watch(subject, shown.source, watcher)
  }

  private gone(page: Page, key: string): void {
    const row = page.rows.get(key)
    if (!row) return
    page.rows.delete(key)
    if (row.subject) this.scans.unwatch(row.subject, row.watcher)
    this.onChange(page.sender.tabId)
  }

  private enabled(page: Page): boolean {
    const site = siteOf(page.sender.tabUrl)
    return site === null || !this.settings.sitesOff.includes(site)
  }

  private sendSettings(page: Page): void {
    const { automatic, corner } = this.settings
    this.send(page, { type: 'settings', enabled: this.enabled(page), automatic, corner })
  }

  private send(page: Page, message: ToPage): void {
    try {
      page.channel.send(message)
    } catch {
      // The page went away; its channel's end is on the way.
    }
  }
}

/** The same bytes get the same name, whatever page shows them. */
function subjectOf({ source }: Shown): string | null {
  switch (source.kind) {
    case 'url':
      return withoutFragment(source.url)
    case 'page_bytes':
    case 'live':
      return source.id
    case 'none':
      return null
  }
}
