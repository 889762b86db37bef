/**
 * Finds every `<video>` of a document: there at the start, added later, inside shadow roots. Reports each once,
 * again when it starts to load something else, and when it has left the document.
 *
 * One MutationObserver and one set of capturing media listeners for each root; nothing per element, and no
 * polling. Added nodes are collected and looked at together, after the page's own work.
 */

export interface FinderEvents {
  found: (video: HTMLVideoElement) => void
  /** It begins to load something else, or got further with what it loads. */
  changed: (video: HTMLVideoElement, event: string) => void
  lost: (video: HTMLVideoElement) => void
  /** Elements came or went, so anything may have moved. */
  onMutation: () => void
}

export interface FinderOptions extends FinderEvents {
  document: Document
  shadowRootOf: (element: HTMLElement) => ShadowRoot | null
  /** Runs `work` soon, after the page's own. */
  soon: (work: () => void) => void
  setTimer: (run: () => void, ms: number) => unknown
}

// Media events do not bubble and do not leave shadow trees, but each root can capture its own.
const MEDIA_EVENTS = ['loadstart', 'emptied', 'loadedmetadata', 'encrypted', 'playing', 'error'] as const
// A custom element may get its shadow root long after it was inserted, and nothing tells. So one without a root
// is looked at again a few times, and no more: at these times after it was first seen.
const RECHECK_AFTER_MS = [500, 1500, 4000, 10_000]
const SHADOW_HOSTS = new Set(
  'article aside blockquote body div footer h1 h2 h3 h4 h5 h6 header main nav p section span'.split(' '),
)

type Root = Document | ShadowRoot

export class VideoFinder {
  private readonly videos = new Set<HTMLVideoElement>()
  private readonly roots = new Map<Root, () => void>()
  private added: Element[] = []
  private removedSome = false
  private planned = false
  private rootless: { host: HTMLElement; round: number }[] = []
  private recheckPlanned = false
  private stopped = false

  constructor(private readonly options: FinderOptions) {}

  start(): void {
    this.stopped = false
    this.enterRoot(this.options.document)
  }

  stop(): void {
    this.stopped = true
    for (const leave of this.roots.values()) leave()
    this.roots.clear()
    for (const video of [...this.videos]) this.lose(video)
    this.added = []
    this.rootless = []
  }

  private enterRoot(root: Root): void {
    if (this.roots.has(root)) return
    const observer = new MutationObserver((records) => this.mutated(records))
    observer.observe(root, { childList: true, subtree: true })
    const heard = (event: Event) => {
      // In closed trees the target is the video itself, because the listener sits inside the tree.
      const target = event.composedPath()[0] ?? event.target
      const video = isVideo(target) ? target : isSource(target) ? target.closest('video') : null
      if (video?.isConnected) this.meet(video, event.type)
    }
    for (const name of MEDIA_EVENTS) root.addEventListener(name, heard, { capture: true, passive: true })
    this.roots.set(root, () => {
      observer.disconnect()
      for (const name of MEDIA_EVENTS) root.removeEventListener(name, heard, { capture: true })
    })
    this.search(root)
  }

  private mutated(records: MutationRecord[]): void {
    for (const record of records) {
      if (record.removedNodes.length > 0) this.removedSome = true
      for (const node of record.addedNodes)
        if (node.nodeType === Node.ELEMENT_NODE) this.added.push(node as Element)
    }
    if (this.planned || (this.added.length === 0 && !this.removedSome)) return
    this.planned = true
    this.options.soon(() => this.catchUp())
  }

  private catchUp(): void {
    this.planned = false
    if (this.stopped) return
    this.options.onMutation()
    const added = this.added
    this.added = []
    for (const element of added) if (element.isConnected) this.search(element)
    if (this.removedSome) {
      this.removedSome = false
      for (const video of [...this.videos]) if (!video.isConnected) this.lose(video)
      for (const [root, leave] of [...this.roots]) {
        if (root.nodeType === Node.DOCUMENT_NODE || (root as ShadowRoot).host.isConnected) continue
        leave()
        this.roots.delete(root)
      }
    }
  }

  /** Looks through a subtree, itself included, and into the shadow roots in it. */
  private search(within: Root | Element): void {
    if (isVideo(within)) this.meet(within, null)
    if (within.nodeType === Node.ELEMENT_NODE) this.lookInside(within as HTMLElement)
    if (!within.firstElementChild) return
    const walker = this.options.document.createTreeWalker(within, NodeFilter.SHOW_ELEMENT)
    while (walker.nextNode()) {
      const element = walker.currentNode as HTMLElement
      if (isVideo(element)) this.meet(element, null)
      else this.lookInside(element)
    }
  }

  private lookInside(element: HTMLElement): void {
    const custom = element.localName.includes('-')
    if (!custom && !SHADOW_HOSTS.has(element.localName)) return
    const root = this.options.shadowRootOf(element)
    if (root) this.enterRoot(root)
    else if (custom) this.lookAgain(element, 0)
  }

  private lookAgain(host: HTMLElement, round: number): void {
    if (round >= RECHECK_AFTER_MS.length) return
    this.rootless.push({ host, round })
    if (this.recheckPlanned) return
    this.recheckPlanned = true
    this.options.setTimer(() => {
      this.recheckPlanned = false
      const waiting = this.rootless
      this.rootless = []
      for (const each of waiting) {
        if (this.stopped || !each.host.isConnected) continue
        const root = this.options.shadowRootOf(each.host)
        if (root) this.enterRoot(root)
        else this.lookAgain(each.host, each.round + 1)
      }
    }, RECHECK_AFTER_MS[round] ?? 0)
  }

  private meet(video: HTMLVideoElement, event: string | null): void {
    if (this.stopped) return
    if (this.videos.has(video)) {
      if (event) this.options.changed(video, event)
      return
    }
    this.videos.add(video)
    this.options.found(video)
  }

  private lose(video: HTMLVideoElement): void {
    this.videos.delete(video)
    this.options.lost(video)
  }
}

// By name, not by class: an element may come from another window's realm.
const isVideo = (node: unknown): node is HTMLVideoElement =>
  (node as Element | null)?.nodeType === 1 && (node as Element).localName === 'video'
const isSource = (node: unknown): node is HTMLSourceElement =>
  (node as Element | null)?.nodeType === 1 && (node as Element).localName === 'source'
