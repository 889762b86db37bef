/** The panel: what the verdict rests on, in words. All text goes in as text. */

import { placesIn, placesOf } from '../marks'
import { tracesOf } from '../traces'
import type { View } from '../views'
import type * as wire from '../wire/native'
import {
  contradicts,
  DETAIL_WORDS,
  examinerName,
  explanation,
  headline,
  STRENGTH_WORDS,
  SUPPORTS_WORDS,
  say,
} from '../words'
import { drawPlaces } from './diagram'
import { el } from './dom'
import { drawGlyph } from './glyphs'
import { drawTraces } from './heat'
import type { Size } from './place'

export interface PanelActions {
  check: (fresh: boolean) => void
  dispute: () => void
  copy: (text: string) => Promise<boolean>
}

/** What the panel knows of, and does with, the video that it is about. */
export interface PanelVideo {
  /** Width and height of its picture, or null while it has none. */
  shape: () => Size | null
  /** Outlines on it where marks were seen, or takes the outlines away. */
  outline: () => void
}

// Of a picture that nobody knows the size of, a shape that most have.
const USUAL: Size = { width: 16, height: 9 }

export class Panel {
  readonly element: HTMLElement
  private readonly header: HTMLElement
  private readonly sign: HTMLElement
  private readonly title: HTMLElement
  private readonly body: HTMLElement
  private readonly buttons: HTMLElement
  private outlineButton: HTMLButtonElement | null = null
  private outlined = false
  private pictured = false
  private scrolled = 0
  private drawn = ''

  constructor(
    private readonly document: Document,
    id: string,
    private readonly actions: PanelActions,
    private readonly video: PanelVideo,
    onClose: () => void,
    private readonly onLayout: () => void,
  ) {
    const titleId = `${id}-title`
    this.sign = el(document, 'span', { class: 'sign' })
    this.title = el(document, 'h2', { id: titleId, tabindex: '-1', 'aria-live': 'polite' })
    const close = el(
      document,
      'button',
      { type: 'button', class: 'close', 'aria-label': say('panel_close') },
      '×',
    )
    close.addEventListener('click', onClose)
    this.header = el(document, 'header', {}, this.sign, this.title, close)
    this.body = el(document, 'div', { class: 'body', tabindex: '-1' })
    this.buttons = el(document, 'div', { class: 'actions' })
    this.element = el(
      document,
      'section',
      { part: 'panel', id, role: 'dialog', 'aria-modal': 'false', 'aria-labelledby': titleId },
      this.header,
      this.body,
      this.buttons,
    )
    this.body.addEventListener('toggle', () => this.onLayout(), { capture: true })
  }

  update(view: View, automatic: boolean): void {
    // A view that says the same is not drawn again: it would close what the reader has opened.
    const now = JSON.stringify([view, automatic])
    if (now === this.drawn) return
    this.drawn = now
    this.element.dataset.state = view.state
    this.element.dataset.label = view.state === 'done' ? view.scan.verdict.label : ''
    this.sign.replaceChildren(drawGlyph(this.document, view))
    this.title.textContent = headline(view)
    this.body.replaceChildren(
      ...(view.state === 'done' ? this.verdict(view.scan) : this.noVerdict(view, automatic)),
    )
    this.buttons.replaceChildren(...this.actionsFor(view))
    this.onLayout()
  }

  focus(): void {
    this.title.focus({ preventScroll: true })
  }

  /** While marks are outlined on the video the panel makes way: all but one button is out of sight. */
  setOutlined(outlined: boolean): void {
    if (outlined === this.outlined) return
    if (outlined) this.scrolled = this.body.scrollTop
    this.outlined = outlined
    this.element.classList.toggle('aside', outlined)
    if (!outlined) this.body.scrollTop = this.scrolled
    if (this.outlineButton) this.outlineButton.textContent = this.outlineWords()
  }

  /** Whether the video has a picture to outline anything on. One that the browser can't play has none. */
  setPictured(pictured: boolean): void {
    if (pictured === this.pictured) return
    this.pictured = pictured
    const button = this.outlineButton
    if (!button) return
    if (!pictured && (button.getRootNode() as ShadowRoot).activeElement === button) this.focus()
    button.hidden = !pictured
    this.onLayout()
  }

  /** The size that the panel would like to have, whatever it has now. Only reads: a reader has scrolled. */
  contentSize(): Size {
    const { width } = this.element.getBoundingClientRect()
    const borders = this.element.offsetHeight - this.element.clientHeight
    const heights = [this.header.offsetHeight, this.body.scrollHeight, this.buttons.offsetHeight, borders]
    return { width, height: heights.reduce((sum, height) => sum + height, 0) }
  }

  private noVerdict(view: View, automatic: boolean): Node[] {
    const nodes: Node[] = explanation(view, automatic).map((text) => this.p(text))
    if (view.state === 'checking') {
      const bar = el(this.document, 'progress', { 'aria-label': say('badge_checking') })
      if (view.fraction !== null) bar.value = view.fraction
      nodes.push(bar)
    }
    return nodes
  }

  private verdict(scan: wire.Scan): Node[] {
    const { verdict, evidence = [], checked = [], skipped = {} } = scan
    const nodes: Node[] = [this.p(strengthText(verdict))]
    if (verdict.basis === 'declared') nodes.push(this.p(say(claimKey(evidence))))
    if (verdict.probability != null && scan.calibration) {
      nodes.push(this.p(say('panel_probability', String(Math.round(verdict.probability * 100)))))
    }
    if (verdict.generator) nodes.push(this.p(`${say('panel_generator')}: ${verdict.generator}`))
    if (contradicts(scan)) {
      nodes.push(
        el(
          this.document,
          'div',
          { class: 'warning' },
          this.h(say('panel_contradiction')),
          say('panel_contradiction_text'),
        ),
      )
    }
    nodes.push(this.h(say('panel_evidence')))
    if (evidence.length === 0) nodes.push(this.p(say('panel_no_evidence')))
    else
      nodes.push(
        el(
          this.document,
          'ul',
          { class: 'evidence' },
          ...evidence.map((each) => this.piece(each, scan.source)),
        ),
      )
    nodes.push(this.h(say('panel_checked')))
    nodes.push(
      checked.length === 0
        ? this.p(say('panel_nothing_checked'))
        : el(
            this.document,
            'ul',
            {},
            ...checked.map((name) => el(this.document, 'li', {}, examinerName(name))),
          ),
    )
    const reasons = Object.entries(skipped)
    if (reasons.length > 0) {
      const items = reasons.map(([name, why]) => el(this.document, 'li', {}, `${examinerName(name)}: ${why}`))
      nodes.push(this.h(say('panel_skipped')), el(this.document, 'ul', {}, ...items))
    }
    nodes.push(el(this.document, 'p', { class: 'soft' }, say('panel_took', duration(scan.took_ms ?? 0))))
    return nodes
  }

  private piece(evidence: wire.Evidence, source: wire.Source): HTMLElement {
    const details = evidence.details ?? {}
    const notes = [
      evidence.verified ? say('evidence_verified') : null,
      details.tampered ? say('evidence_tampered') : null,
    ]
    const speaks = [say(SUPPORTS_WORDS[evidence.supports]), ...notes.filter((note) => note !== null)].join(
      ', ',
    )
    const places = placesOf(evidence)
    const traces = tracesOf(evidence)
    // Places and traces come with their times, which say more than the stretches of the clip.
    const spans = (places.length > 0 || traces ? [] : (evidence.spans ?? [])).map(({ start_s, end_s }) =>
      el(this.document, 'div', { class: 'soft' }, say('panel_span', number(start_s), number(end_s))),
    )
    const shape = this.video.shape() ?? sizeOf(source) ?? USUAL
    const drawing =
      places.length > 0 ? drawPlaces(this.document, places, shape, details.frames_seen === 1) : null
    const counts = evidence.supports !== 'neither'
    const traced = traces && drawTraces(this.document, traces, shape, source.duration_s ?? null, counts)
    return el(
      this.document,
      'li',
      {},
      el(this.document, 'span', { class: 'speaks' }, speaks),
      evidence.finding,
      ...spans,
      drawing,
      // What a score that counts for nothing is made of is for those who ask.
      counts ? traced : null,
      this.how(evidence.examiner, details, counts ? null : traced),
    )
  }

  private how(examiner: string, details: Record<string, unknown>, drawing: Node | null): HTMLElement {
    const rows = DETAIL_WORDS.map(([name, key]) => [key, inWords(details[name])] as const)
      .filter(([, text]) => text !== '')
      .flatMap(([key, text]) => [el(this.document, 'dt', {}, say(key)), el(this.document, 'dd', {}, text)])
    const record = Object.keys(details).length > 0
    return this.fold(
      say('panel_how'),
      el(this.document, 'div', {}, examinerName(examiner)),
      drawing,
      el(this.document, 'dl', {}, ...rows),
      record
        ? this.fold(
            say('detail_record'),
            el(this.document, 'pre', { tabindex: '0' }, JSON.stringify(details, null, 1)),
          )
        : null,
    )
  }

  private fold(title: string, ...content: (Node | null)[]): HTMLElement {
    return el(this.document, 'details', {}, el(this.document, 'summary', {}, title), ...content)
  }

  private actionsFor(view: View): Node[] {
    switch (view.state) {
      case 'done':
        return [
          ...this.outlineButtonFor(view.scan),
          this.disputeButton(view.dispute),
          this.again(),
          this.copyButton(view.scan),
        ]
      case 'waiting':
        return [this.button(say('panel_check'), () => this.actions.check(false))]
      case 'checking':
      case 'looking':
        return []
      case 'no_daemon':
        return [this.button(say('popup_retry'), () => this.actions.check(false))]
      case 'unreachable':
        return ['stream', 'protected', 'local_file'].includes(view.why) ? [] : [this.again()]
    }
  }

  private outlineButtonFor(scan: wire.Scan): HTMLButtonElement[] {
    const marked = placesIn(scan).length > 0
    this.outlineButton = marked ? this.button(this.outlineWords(), () => this.video.outline()) : null
    this.outlineButton?.classList.add('outliner')
    if (this.outlineButton) this.outlineButton.hidden = !this.pictured
    return this.outlineButton ? [this.outlineButton] : []
  }

  private outlineWords(): string {
    return say(this.outlined ? 'panel_outline_end' : 'panel_outline')
  }

  private again(): HTMLButtonElement {
    return this.button(say('panel_again'), () => {
      this.actions.check(true)
      this.focus()
    })
  }

  private disputeButton(dispute: Extract<View, { state: 'done' }>['dispute']): HTMLButtonElement {
    const words = {
      none: 'panel_wrong',
      sending: 'panel_wrong_sending',
      sent: 'panel_wrong_sent',
      failed: 'panel_wrong_failed',
    } as const
    const button = this.button(say(words[dispute]), () => {
      this.focus()
      this.actions.dispute()
    })
    button.disabled = dispute === 'sending' || dispute === 'sent'
    return button
  }

  private copyButton(scan: wire.Scan): HTMLButtonElement {
    const button = this.button(say('panel_copy'), () => {
      void this.actions.copy(JSON.stringify(scan, null, 2)).then((copied) => {
        button.textContent = say(copied ? 'panel_copied' : 'panel_copy_failed')
      })
    })
    return button
  }

  private button(text: string, onClick: () => void): HTMLButtonElement {
    const button = el(this.document, 'button', { type: 'button' }, text)
    button.addEventListener('click', onClick)
    return button
  }

  private p(text: string): HTMLElement {
    return el(this.document, 'p', {}, text)
  }

  private h(text: string): HTMLElement {
    return el(this.document, 'h3', {}, text)
  }
}

/** An unaltered record by a known signer is more than anybody's say-so, and less than a verified signature. */
function claimKey(evidence: wire.Evidence[]): 'panel_claim' | 'panel_claim_attested' {
  const attested = evidence.some(({ details }) => details?.certainty === 'attested')
  return attested ? 'panel_claim_attested' : 'panel_claim'
}

function sizeOf({ width, height }: wire.Source): Size | null {
  return width && height ? { width, height } : null
}

function strengthText({ label, strength = 'none' }: wire.Verdict): string {
  return say(label === 'no_signs' && strength === 'none' ? 'panel_strength_none' : STRENGTH_WORDS[strength])
}

/** A detail as one line of text; empty where it is nothing, or too deep for one line. */
function inWords(value: unknown): string {
  if (typeof value === 'boolean') return say(value ? 'word_yes' : 'word_no')
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return shorter(value)
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ')
  return ''
}

const ISO_DATE = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/
// Terms of controlled vocabularies are addresses; only their last part is a word (IPTC NewsCodes, C2PA).
const TERM = /^https?:\/\/[^?#]+\/(\w+)$/

function shorter(text: string): string {
  if (ISO_DATE.test(text))
    return new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  return TERM.exec(text)?.[1] ?? text
}

const number = (value: number): string => value.toLocaleString(undefined, { maximumFractionDigits: 2 })

function duration(ms: number): string {
  return ms < 1000
    ? say('panel_milliseconds', number(Math.round(ms)))
    : say('panel_seconds', number(ms / 1000))
}
