/**
 * The badge of one video: a host element that takes no room, a closed shadow root under it, and in that a button
 * and, on demand, the panel, and outlines of marks. Hooks for tests and tools: `touchstone-badge`, `button[part=badge]`
 * with `data-state` and `data-label`, `section[part=panel]`, `div[part=outlines]`.
 */

import { placesIn } from '../marks'
import type { Corner } from '../settings'
import type { View } from '../views'
import { badgeWords, headline, say } from '../words'
import { el } from './dom'
import { drawGlyph } from './glyphs'
import { OUTLINED_MS, Outlines } from './outlines'
import { Panel, type PanelActions } from './panel'
import type { Picture } from './picture'
import { type Box, badgePoint, panelBox, type Size, WORDS_FROM_PX } from './place'
import { dress } from './style'

export const HOST_NAME = 'touchstone-badge'

/** What the page must not hear of: a click on the badge is none on the player, a key in the panel no shortcut. */
const OWN_EVENTS = [
  'click auxclick dblclick contextmenu mousedown mouseup pointerdown pointerup pointercancel touchstart touchend',
  'keydown keyup keypress wheel focusin focusout input change copy toggle dragstart selectstart',
]
  .join(' ')
  .split(' ')

const HOST_STYLE: [string, string][] = [
  ['all', 'initial'],
  ['position', 'absolute'],
  ['top', '0'],
  ['left', '0'],
  ['width', '0'],
  ['height', '0'],
  ['overflow', 'visible'],
  ['pointer-events', 'none'],
  ['z-index', '2147483647'],
]

let lastNumber = 0

export class Badge {
  readonly host: HTMLElement
  readonly button: HTMLButtonElement
  private readonly root: ShadowRoot
  private readonly layer: HTMLElement
  private readonly sign: HTMLElement
  private readonly words: HTMLElement
  private panel: Panel | null = null
  private outlines: Outlines | null = null
  private outlinesEnd: ReturnType<typeof setTimeout> | undefined
  private view: View = { state: 'waiting' }
  private automatic = true
  private shown = false

  constructor(
    private readonly document: Document,
    private readonly actions: PanelActions,
    private readonly onLayout: () => void,
    private readonly picture: () => Picture | null,
  ) {
    ;({ host: this.host, root: this.root } = closedHost(document))
    for (const [name, value] of HOST_STYLE) this.host.style.setProperty(name, value, 'important')
    dress(this.root, document)
    lastNumber += 1
    const panelId = `panel-${lastNumber}`
    this.sign = el(document, 'span', { class: 'sign' })
    this.words = el(document, 'span', { class: 'words' })
    this.button = el(
      document,
      'button',
      {
        part: 'badge',
        type: 'button',
        'aria-haspopup': 'dialog',
        'aria-expanded': 'false',
        'aria-controls': panelId,
      },
      this.sign,
      this.words,
    )
    this.layer = el(document, 'div', { class: 'layer' }, this.button)
    this.root.append(this.layer)
    this.button.addEventListener('click', () => this.toggle())
    for (const name of OWN_EVENTS) {
      this.root.addEventListener(name, (event) => event.stopPropagation(), { passive: true })
    }
    this.root.addEventListener('keydown', (event) => this.pressed(event as KeyboardEvent))
    this.setShown(false)
    this.update(this.view, this.automatic)
  }

  get open(): boolean {
    return this.panel !== null
  }

  update(view: View, automatic: boolean): void {
    if (scanIn(view) !== scanIn(this.view)) this.endOutlines()
    this.view = view
    this.automatic = automatic
    const text = headline(view)
    this.button.dataset.state = view.state
    this.button.dataset.label = view.state === 'done' ? view.scan.verdict.label : ''
    this.button.setAttribute('aria-label', say('badge_name', text))
    this.button.title = say('badge_name_more', text.endsWith('.') ? text : `${text}.`)
    this.sign.replaceChildren(drawGlyph(this.document, view))
    this.words.textContent = badgeWords(view)
    this.panel?.update(view, automatic)
    this.onLayout()
  }

  /**
   * Whether the badge is to be seen at all. The panel goes with it: it speaks of what is on the screen. A badge that
   * was hidden has no size yet and so no place: it stays invisible until the next layout, which it asks for.
   */
  setShown(shown: boolean): void {
    if (!shown) this.close(false)
    this.host.style.setProperty('display', shown ? 'block' : 'none', 'important')
    if (shown === this.shown) return
    this.shown = shown
    set(this.button, 'visibility', 'hidden')
    if (shown) this.onLayout()
  }

  /** Sizes as laid out now; reading them is what `place` needs, before anything is written. */
  measure(): { origin: DOMRect; badge: Size; panel: Size | null; picture: Picture | null } {
    const box = this.button.getBoundingClientRect()
    return {
      origin: this.layer.getBoundingClientRect(),
      badge: { width: box.width, height: box.height },
      panel: this.panel ? this.panel.contentSize() : null,
      picture: this.panel ? this.picture() : null,
    }
  }

  setCompact(videoWidth: number): void {
    // While marks are outlined nothing should cover them that need not.
    this.button.classList.toggle('compact', videoWidth < WORDS_FROM_PX || this.outlines !== null)
  }

  /** Moves badge and panel. `origin` is where the layer is now, so whatever the page did to it cancels out. */
  place(measured: ReturnType<Badge['measure']>, video: Box, viewport: Size, corner: Corner): void {
    const { origin, badge, panel, picture } = measured
    if (picture) this.outlines?.place(picture, origin)
    else this.endOutlines()
    this.panel?.setPictured(picture !== null)
    if (badge.width > 0) set(this.button, 'visibility', 'visible')
    const at = badgePoint(video, badge, corner)
    move(this.button, at.left - origin.left, at.top - origin.top)
    if (!this.panel || !panel) return
    const box = panelBox({ ...at, ...badge }, panel, viewport)
    move(this.panel.element, box.left - origin.left, box.top - origin.top)
    set(this.panel.element, 'width', `${box.width}px`)
    set(this.panel.element, 'max-height', `${box.height}px`)
  }

  focus(): void {
    this.button.focus({ preventScroll: true })
  }

  close(returnFocus: boolean): void {
    this.endOutlines()
    if (!this.panel) return
    this.panel.element.remove()
    this.panel = null
    this.button.setAttribute('aria-expanded', 'false')
    if (returnFocus) this.focus()
  }

  remove(): void {
    this.close(false)
    this.host.remove()
  }

  private toggle(): void {
    if (this.panel) {
      this.close(true)
      return
    }
    const id = this.button.getAttribute('aria-controls') ?? ''
    const video = { shape: () => this.picture()?.natural ?? null, outline: () => this.toggleOutlines() }
    this.panel = new Panel(this.document, id, this.actions, video, () => this.close(true), this.onLayout)
    this.panel.setPictured(this.picture() !== null)
    this.panel.update(this.view, this.automatic)
    this.layer.append(this.panel.element)
    this.button.setAttribute('aria-expanded', 'true')
    this.onLayout()
    this.panel.focus()
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.panel) return
    event.preventDefault()
    if (this.outlines) this.endOutlines()
    else this.close(true)
  }

  private toggleOutlines(): void {
    if (this.outlines) {
      this.endOutlines()
      return
    }
    if (this.view.state !== 'done') return
    this.outlines = new Outlines(this.document, placesIn(this.view.scan))
    this.layer.append(this.outlines.element)
    this.outlinesEnd = setTimeout(() => this.endOutlines(), OUTLINED_MS)
    this.panel?.setOutlined(true)
    this.onLayout()
  }

  private endOutlines(): void {
    if (!this.outlines) return
    clearTimeout(this.outlinesEnd)
    this.outlines.element.remove()
    this.outlines = null
    this.panel?.setOutlined(false)
    this.onLayout()
  }
}

/**
 * A host with a closed root that no page can open. An element name with a hyphen is open to the page's own
 * definitions: if the page has taken ours, its constructor has run and could hand out the root, so a plain
 * element takes its place.
 */
export function closedHost(document: Document): { host: HTMLElement; root: ShadowRoot } {
  const named = document.createElement(HOST_NAME)
  try {
    if (!named.matches(':defined')) return { host: named, root: named.attachShadow({ mode: 'closed' }) }
  } catch {
    // It has a root already, which is not ours.
  }
  const plain = document.createElement('div')
  plain.setAttribute('data-touchstone', '')
  return { host: plain, root: plain.attachShadow({ mode: 'closed' }) }
}

const scanIn = (view: View): string | null => (view.state === 'done' ? view.scan.id : null)

function move(element: HTMLElement, left: number, top: number): void {
  set(element, 'left', `${Math.round(left)}px`)
  set(element, 'top', `${Math.round(top)}px`)
}

// Writing what is there already would make the browser lay out again for nothing.
function set(element: HTMLElement, name: string, value: string): void {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value)
}
