/** One video on the page: what it plays, whether it can be seen, and its badge. */

import type { Shown } from '../protocol'
import type { Corner } from '../settings'
import type { View } from '../views'
import { Badge } from './badge'
import { isCovered } from './occlusion'
import type { PanelActions } from './panel'
import { pictureOf } from './picture'
import { type Box, badgePoint, isTiny, type Size } from './place'
import { ShiftObserver } from './shift'
import { addressOf, loadedOf, sourceOf } from './source'

export interface WatchOptions {
  document: Document
  key: string
  /** Stands for this page and nothing else in the world. */
  pageId: string
  actions: PanelActions
  /** Asks for `measure` and `arrange` soon. */
  onLayout: () => void
}

interface Measured {
  video: DOMRect
  visible: boolean
  covered: boolean
  badge: ReturnType<Badge['measure']>
}

// Hit tests force a layout; four a second are enough to follow a header sliding in.
const COVER_CHECK_MS = 250

export class VideoWatch {
  readonly key: string
  readonly badge: Badge
  view: View | null = null
  private encrypted = false
  private loads = 0
  private address = ''
  private visible = false
  private onScreen = false
  private covered = false
  private coverCheckedAt = 0
  private readonly resize: ResizeObserver
  private readonly intersection: IntersectionObserver
  private readonly shift: ShiftObserver

  constructor(
    readonly video: HTMLVideoElement,
    private readonly options: WatchOptions,
  ) {
    this.key = options.key
    this.badge = new Badge(options.document, options.actions, options.onLayout, () => pictureOf(video))
    this.resize = new ResizeObserver(options.onLayout)
    this.resize.observe(video)
    this.intersection = new IntersectionObserver(
      (entries) => {
        this.onScreen = entries.at(-1)?.isIntersecting ?? false
        options.onLayout()
      },
      { threshold: [0, 0.25, 0.5, 0.75, 1] },
    )
    this.intersection.observe(video)
    this.shift = new ShiftObserver(video, options.onLayout)
    this.reload()
  }

  /** A media event said that something else may be loaded now. */
  reload(event?: string): void {
    const address = addressOf(this.video)
    if (event === 'loadstart' || event === 'emptied' || address !== this.address) {
      this.encrypted = false
      this.loads += 1
      this.address = address
    }
    if (event === 'encrypted') this.encrypted = true
  }

  /** What the background is told, or null while the video plays nothing. */
  shown(): Shown | null {
    const source = sourceOf(this.video, this.encrypted, `${this.options.pageId}-${this.key}-${this.loads}`)
    if (!source) return null
    const { width, height } = this.video.getBoundingClientRect()
    return { key: this.key, source, visible: this.visible, loaded: loadedOf(this.video), width, height }
  }

  /** Whether a person can see it play. */
  get seen(): boolean {
    return this.visible && this.options.document.visibilityState === 'visible'
  }

  update(view: View, automatic: boolean): void {
    this.view = view
    this.badge.update(view, automatic)
  }

  /** Reads the layout; writes nothing. */
  measure(now: number, corner: Corner): Measured {
    const video = this.video.getBoundingClientRect()
    const visible = this.onScreen && !isTiny(video) && isRendered(this.video)
    const badge = this.badge.measure()
    if (visible && now - this.coverCheckedAt >= COVER_CHECK_MS) {
      this.coverCheckedAt = now
      const at = badgePoint(video, badge.badge, corner)
      this.covered = isCovered(this.video, at.left + 12, at.top + 12, this.badge.host)
    }
    return { video, visible, covered: this.covered, badge }
  }

  /** Writes the layout. Returns whether the video came into or went out of sight. */
  arrange(measured: Measured, viewport: Size, corner: Corner, enabled: boolean): boolean {
    const { video, visible, covered, badge } = measured
    this.attach()
    this.badge.setCompact(video.width)
    this.badge.setShown(enabled && this.view !== null && visible && !covered)
    this.badge.place(badge, video as Box, viewport, corner)
    if (visible) this.shift.settle(video)
    else this.shift.stop()
    const turned = visible !== this.visible
    this.visible = visible
    return turned
  }

  stop(): void {
    this.resize.disconnect()
    this.intersection.disconnect()
    this.shift.stop()
    this.badge.remove()
  }

  /**
   * Puts the host where it can be seen. Normally that is the root element, outside everything the page lays out.
   * A modal dialog makes all outside it inert, so there it is the dialog. In full screen, or over an open popover,
   * only the browser's top layer is above the video: the host goes there as a popover, which moves nothing.
   */
  private attach(): void {
    const { document } = this.options
    const { host } = this.badge
    const home = this.video.closest('dialog:modal') ?? document.documentElement
    if (host.parentNode !== home) home.append(host)
    const full = document.fullscreenElement
    const wantsTop =
      (full?.contains(outermost(this.video)) ?? false) || this.video.closest(':popover-open') !== null
    const isTop = host.matches(':popover-open')
    if (wantsTop && !isTop) {
      host.setAttribute('popover', 'manual')
      host.showPopover()
    } else if (!wantsTop && host.hasAttribute('popover')) {
      if (isTop) host.hidePopover()
      host.removeAttribute('popover')
    }
  }
}

/** Hidden by style, or transparent: X keeps transparent twins of its media, for one. */
function isRendered(video: HTMLVideoElement): boolean {
  return video.checkVisibility({
    opacityProperty: true,
    visibilityProperty: true,
    contentVisibilityAuto: true,
  })
}

function outermost(element: Element): Element {
  const root = element.getRootNode()
  return 'host' in root ? outermost((root as ShadowRoot).host) : element
}
