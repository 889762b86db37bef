// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Badge, HOST_NAME } from '../src/page/badge'
import { OUTLINED_MS } from '../src/page/outlines'
import type { Picture } from '../src/page/picture'
import type { View } from '../src/views'
import type { Evidence, Label } from '../src/wire/native'
import { BADGE_WORDS } from '../src/words'
import { scanOf, settled } from './fakes'

const LABELS = Object.keys(BADGE_WORDS) as Label[]
const done = (change: Parameters<typeof scanOf>[0] = {}): View => ({
  state: 'done',
  scan: scanOf(change),
  dispute: 'none',
})
const VIEWS: View[] = [
  { state: 'waiting' },
  { state: 'checking', stage: 'examine', fraction: 0.5 },
  { state: 'no_daemon', why: 'no_host', detail: null },
  { state: 'unreachable', why: 'pieces', detail: null },
  ...LABELS.map((label) => done({ verdict: { label, headline: `The headline of ${label}` } })),
]

const KLING: Evidence = {
  examiner: 'labels',
  finding: 'Its metadata name Kling',
  supports: 'ai',
  details: { generator: 'Kling', certainty: 'stated', list: ['a', 'b'], nothing: null },
  spans: [{ start_s: 0, end_s: 2.5 }],
}

const box = (time_s: number, x: number, y: number) => ({ time_s, x, y, w: 0.14, h: 0.04 })
/** A mark that is at the lower left, then at the upper right. */
const SORA: Evidence = {
  examiner: 'visible_marks',
  finding: 'The picture carries the mark of Sora',
  supports: 'ai',
  details: { frames_seen: 8, boxes: [box(1, 0.16, 0.9), box(2.25, 0.17, 0.9), box(4, 0.7, 0.04)] },
  spans: [{ start_s: 1, end_s: 4 }],
}

const HD = { left: 0, top: 0, width: 1280, height: 720 }

describe('the badge', () => {
  let picture: Picture | null
  let badge: Badge
  let calls: string[]

  const root = () => badge.button.getRootNode() as ShadowRoot
  const panel = () => root().querySelector<HTMLElement>('section[part="panel"]')
  const button = (text: string) =>
    [...(panel()?.querySelectorAll('button') ?? [])].find((each) => each.textContent === text)
  const open = (view: View): string => {
    badge.update(view, true)
    badge.button.click()
    return panel()?.textContent ?? ''
  }

  beforeEach(() => {
    document.body.innerHTML = ''
    calls = []
    picture = null
    badge = new Badge(
      document,
      {
        check: (fresh) => calls.push(fresh ? 'check again' : 'check'),
        dispute: () => calls.push('dispute'),
        copy: async (text) => {
          calls.push(text)
          return true
        },
      },
      () => undefined,
      () => picture,
    )
    document.documentElement.append(badge.host)
    badge.setShown(true)
  })

  afterEach(() => badge.remove())

  test('sits in a closed root under a host that takes no room and inherits nothing', () => {
    expect(badge.host.localName).toBe(HOST_NAME)
    expect(badge.host.shadowRoot).toBeNull()
    for (const [name, value] of [
      ['position', 'absolute'],
      ['width', '0'],
      ['pointer-events', 'none'],
    ] as const) {
      expect(badge.host.style.getPropertyValue(name).replace('px', '')).toBe(value)
      expect(badge.host.style.getPropertyPriority(name)).toBe('important')
    }
  })

  test.each(VIEWS)('is a button with a name, a state and a shape of its own: $state', (view) => {
    badge.update(view, true)
    const { button } = badge
    expect(button.type).toBe('button')
    expect(button.getAttribute('part')).toBe('badge')
    expect(button.getAttribute('aria-label')).toMatch(/^Touchstone: .{10,}/)
    expect(button.getAttribute('aria-expanded')).toBe('false')
    expect(button.getAttribute('aria-haspopup')).toBe('dialog')
    expect(button.dataset.state).toBe(view.state)
    expect(button.dataset.label).toBe(view.state === 'done' ? view.scan.verdict.label : '')
    expect(button.querySelector('.words')?.textContent).not.toBe('')
    expect(button.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true')
  })

  test('tells the states apart by shape and words, not by colour alone', () => {
    const seen = VIEWS.map((view) => {
      badge.update(view, true)
      return [badge.button.querySelector('path')?.getAttribute('d'), badge.button.textContent]
    })
    expect(new Set(seen.map(([shape]) => shape)).size).toBe(VIEWS.length)
    expect(new Set(seen.map(([, words]) => words)).size).toBe(VIEWS.length)
  })

  test('gives screen readers the whole headline', () => {
    badge.update(
      done({ verdict: { label: 'ai_generated', headline: 'AI-generated, says a signature by OpenAI' } }),
      true,
    )
    expect(badge.button.getAttribute('aria-label')).toBe(
      'Touchstone: AI-generated, says a signature by OpenAI',
    )
  })

  test.each([
    [{ label: 'ai_generated', basis: 'signed', strength: 'verified' }, 'AI-generated'],
    [{ label: 'ai_generated', basis: 'watermark', strength: 'strong' }, 'AI-generated'],
    [{ label: 'ai_generated', basis: 'declared', strength: 'moderate' }, 'Labelled as AI'],
    [{ label: 'ai_edited', basis: 'declared', strength: 'moderate' }, 'Labelled as AI-edited'],
    [{ label: 'ai_generated', basis: 'declared', strength: 'limited' }, 'Perhaps AI'],
    [{ label: 'ai_edited', basis: 'declared', strength: 'limited' }, 'Perhaps edited with AI'],
    [{ label: 'no_signs', basis: 'none', strength: 'none' }, 'No signs of AI found'],
  ] as const)('says no more than the evidence: %o is "%s"', (verdict, words) => {
    badge.update(done({ verdict }), true)
    expect(badge.button.querySelector('.words')?.textContent).toBe(words)
  })

  test('shows on its face that the evidence speaks against itself', () => {
    const camera = {
      ...KLING,
      examiner: 'content_credentials',
      supports: 'camera',
      details: {},
    } satisfies Evidence
    const torn = done({
      verdict: { label: 'camera_original' },
      evidence: [camera, { ...KLING, details: {} }],
    })
    expect(open(torn)).toContain('contradicts itself')
    expect(badge.button.querySelector('.words')?.textContent).toBe('Recorded by a camera, contradicted')
  })

  test('opens its panel and takes the focus there, closes it on Escape and takes it back', () => {
    open(VIEWS[0] as View)
    expect(badge.button.getAttribute('aria-expanded')).toBe('true')
    expect(panel()?.id).toBe(badge.button.getAttribute('aria-controls'))
    expect(panel()?.getAttribute('role')).toBe('dialog')
    const title = root().getElementById(panel()?.getAttribute('aria-labelledby') ?? '')
    expect(title?.textContent).toBe('This video has not been checked.')
    expect(root().activeElement).toBe(title)
    title?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, composed: true }))
    expect(panel()).toBeNull()
    expect(badge.button.getAttribute('aria-expanded')).toBe('false')
    expect(root().activeElement).toBe(badge.button)
  })

  test('lets neither clicks nor keys out to the page', () => {
    const heard: string[] = []
    const types = [
      'click',
      'dblclick',
      'pointerdown',
      'mousedown',
      'mouseup',
      'touchstart',
      'keydown',
      'keyup',
    ]
    for (const type of types) document.documentElement.addEventListener(type, () => heard.push(type))
    open(VIEWS[0] as View)
    for (const type of types) {
      badge.button.dispatchEvent(new Event(type, { bubbles: true, composed: true }))
      panel()?.dispatchEvent(new Event(type, { bubbles: true, composed: true }))
    }
    expect(heard).toEqual([])
  })

  test('goes out of sight with its panel', () => {
    open(VIEWS[0] as View)
    badge.setShown(false)
    expect(panel()).toBeNull()
    expect(badge.host.style.display).toBe('none')
  })

  test('is seen only once it has a size, and so a place', () => {
    const placed = (width: number) => {
      const measured = { ...badge.measure(), badge: { width, height: 20 } }
      badge.place(
        measured,
        { left: 0, top: 0, width: 640, height: 360 },
        { width: 800, height: 600 },
        'top-right',
      )
      return [badge.button.style.visibility, badge.button.style.left]
    }
    expect(placed(0)[0]).toBe('hidden')
    expect(placed(100)).toEqual(['visible', '532px'])
    badge.setShown(true)
    expect(badge.button.style.visibility).toBe('visible')
    badge.setShown(false)
    badge.setShown(true)
    expect(badge.button.style.visibility).toBe('hidden')
  })

  test('keeps what the reader has opened when the same is said again', () => {
    open(done({ evidence: [KLING] }))
    const details = panel()?.querySelector('details')
    details?.setAttribute('open', '')
    badge.update(done({ evidence: [KLING] }), true)
    expect(panel()?.querySelector('details')).toBe(details)
  })

  test('is measured without being touched: whoever has scrolled in the panel stays there', () => {
    open(done({ evidence: [KLING] }))
    const touched = new MutationObserver(() => undefined)
    touched.observe(root(), { attributes: true, childList: true, subtree: true })
    badge.measure()
    expect(touched.takeRecords()).toEqual([])
  })

  describe('whose panel', () => {
    test('says what was found, how that is known, and what was looked at', () => {
      const text = open(
        done({
          verdict: {
            label: 'ai_generated',
            basis: 'declared',
            strength: 'moderate',
            generator: 'Kling',
            headline: 'Declared',
          },
          evidence: [KLING],
          checked: ['labels'],
          skipped: { content_credentials: 'the file ends early' },
          took_ms: 1234,
        }),
      )
      for (const words of [
        'Declared',
        'nobody has verified it',
        'Made with: Kling',
        'Speaks for AI',
        'Its metadata name Kling',
        'From 0 s to 2.5 s',
        'Labels in the metadata',
        'Content Credentials (signed provenance): the file ends early',
        '1.23 s',
        'How certain the claim is',
        '"a"',
      ]) {
        expect(text).toContain(words)
      }
      const told = [...(panel()?.querySelectorAll('dd') ?? [])].map((each) => each.textContent)
      expect(told).toEqual(['Kling', 'stated'])
    })

    test('never takes "nothing found" for "real"', () => {
      const text = open(done())
      expect(text).toContain('does not show that the video is real')
    })

    test('shows a probability only where a calibration stands behind it', () => {
      expect(open(done({ verdict: { probability: 0.97 } }))).not.toContain('97')
      badge.update(done({ verdict: { probability: 0.97 }, calibration: 'docs/calibration.md' }), true)
      expect(panel()?.textContent).toContain('97 %')
    })

    test('takes text for text', () => {
      const html = '<img src=x onerror=alert(1)>'
      const evidence = { ...KLING, finding: html, details: { signer: html, [html]: html } }
      const text = open(
        done({
          verdict: { headline: html, generator: html },
          evidence: [evidence],
          skipped: { [html]: html },
        }),
      )
      expect(text.split(html).length).toBeGreaterThan(5)
      expect(panel()?.querySelector('img')).toBeNull()
    })

    test.each<[View, string]>([
      [{ state: 'waiting' }, 'when it starts to load'],
      [{ state: 'checking', stage: 'upload', fraction: 0.5 }, 'Handing the video over'],
      [{ state: 'no_daemon', why: 'no_host', detail: null }, 'touchstone up'],
      [{ state: 'no_daemon', why: 'daemon_absent', detail: 'it ended with code 1' }, 'it ended with code 1'],
      [{ state: 'unreachable', why: 'pieces', detail: null }, 'streams it in pieces'],
      [{ state: 'unreachable', why: 'protected', detail: null }, 'protected against copying'],
      [{ state: 'unreachable', why: 'status', detail: '403' }, 'status 403'],
      [{ state: 'unreachable', why: 'address', detail: 'refused' }, 'Reason given: refused'],
    ])('explains why there is no verdict: %o', (view, words) => {
      expect(open(view)).toContain(words)
    })

    test('lets the user ask, ask again, contradict and copy', async () => {
      open({ state: 'waiting' })
      button('Check this video')?.click()
      const scan = scanOf()
      badge.update({ state: 'done', scan, dispute: 'none' }, true)
      button('Check again')?.click()
      button('This is wrong')?.click()
      button('Copy JSON')?.click()
      await settled()
      expect(calls).toEqual(['check', 'check again', 'dispute', JSON.stringify(scan, null, 2)])
      expect(button('Copied')).toBeDefined()
    })

    test('takes a contradiction once and says that it was noted', () => {
      open({ state: 'done', scan: scanOf(), dispute: 'sent' })
      expect(button('Noted on this computer. Thank you.')?.disabled).toBe(true)
      badge.update({ state: 'done', scan: scanOf(), dispute: 'failed' }, true)
      expect(button('Could not be noted. Try again?')?.disabled).toBe(false)
    })
  })

  describe('whose traces', () => {
    const details = { score: 1.3, patches: [{ time_s: 0, x: 0.4, y: 0.4, w: 0.2, h: 0.2, score: 1.3 }] }
    const spans = [{ start_s: 0, end_s: 0.1, score: 1.3 }]
    const detector = (supports: Evidence['supports']): Evidence => {
      return { examiner: 'detector', finding: 'A score', supports, details, spans }
    }

    test.each([
      ['ai', 'in the open where the score counts', false],
      ['neither', 'behind "How do you know?" where it counts for nothing', true],
    ] as const)('that support %s are drawn %s', (supports, _, folded) => {
      const text = open(done({ evidence: [detector(supports)] }))
      const drawing = panel()?.querySelector('.traces')
      expect(drawing?.classList.contains('counts')).toBe(!folded)
      expect(drawing?.closest('details') != null).toBe(folded)
      expect(text).not.toContain('From 0 s')
    })
  })

  describe('whose marks', () => {
    const outlines = () => [...root().querySelectorAll<HTMLElement>('[part="outlines"] .outline')]
    const layOut = () => {
      const { documentElement } = document
      const viewport = { width: documentElement.clientWidth, height: 800 }
      const video = { left: 100, top: 50, width: 600, height: 400 }
      badge.place(badge.measure(), video, viewport, 'top-left')
    }
    const boxOf = ({ style: { left, top, width, height } }: HTMLElement) =>
      [left, top, width, height].map((length) => Number.parseInt(length, 10))

    afterEach(() => vi.useRealTimers())

    test('are drawn in the shape of the picture and told in words', () => {
      picture = { whole: HD, frame: HD, natural: { width: 704, height: 1280 } }
      const text = open(done({ evidence: [SORA] }))
      expect(text).toContain('bottom left, from 1 s to 2.3 s')
      expect(text).toContain('top right, at 4 s')
      const drawing = panel()?.querySelector('svg.diagram')
      expect(drawing?.getAttribute('role')).toBe('img')
      expect(drawing?.getAttribute('aria-label')).toContain('bottom left, top right')
      const [frame, ...marks] = [...(drawing?.querySelectorAll('rect') ?? [])].map((rect) =>
        ['x', 'y', 'width', 'height'].map((name) => Math.round(Number(rect.getAttribute(name)))),
      )
      expect(frame).toEqual([0, 0, 66, 120])
      expect(marks).toEqual([
        [11, 108, 10, 5],
        [46, 5, 9, 5],
      ])
      expect([...(drawing?.querySelectorAll('text') ?? [])].map((each) => each.textContent)).toEqual([
        '1',
        '2',
      ])
    })

    test('have no time in a single picture, and take its shape from the file where no video is loaded', () => {
      const details = { frames_seen: 1, boxes: [box(0, 0.16, 0.9)] }
      const source = { kind: 'url', width: 100, height: 100 } as const
      const text = open(done({ source, evidence: [{ ...SORA, details, spans: [] }] }))
      expect(text).toContain('bottom left')
      expect(text).not.toMatch(/\d s\b/)
      expect(panel()?.querySelector('.diagram .picture')?.getAttribute('width')).toBe('120')
    })

    test.each([
      ['no list', 'top left'],
      ['no box', [7, null, 'x']],
      ['no numbers', [{ time_s: 0, x: '0', y: 0, w: 1, h: 1 }]],
      ['outside of the picture', [{ time_s: 0, x: 0.9, y: 0, w: 0.2, h: 0.1 }]],
      ['without size', [{ time_s: 0, x: 0.5, y: 0, w: 0, h: 0.1 }]],
    ])('are passed over where the details make no sense: %s', (_, boxes) => {
      const text = open(done({ evidence: [{ ...SORA, details: { boxes } }] }))
      expect(text).toContain('From 1 s to 4 s')
      expect(panel()?.querySelector('.diagram')).toBeNull()
      expect(button('Show on the video')).toBeUndefined()
    })

    test('are outlined on the displayed picture, for some seconds, while the panel makes way', () => {
      vi.useFakeTimers()
      // A wide picture in a higher frame.
      const whole = { left: 100, top: 100, width: 600, height: 300 }
      picture = {
        whole,
        frame: { left: 100, top: 50, width: 600, height: 400 },
        natural: { width: 2, height: 1 },
      }
      open(done({ evidence: [SORA] }))
      const show = button('Show on the video')
      show?.focus()
      show?.click()
      layOut()
      expect(outlines().map(boxOf)).toEqual([
        [96, 320, 90, 12], // both times it was there
        [420, 62, 84, 12],
      ])
      expect(panel()?.classList.contains('aside')).toBe(true)
      expect(button('Hide outlines')).toBe(root().activeElement)
      vi.advanceTimersByTime(OUTLINED_MS)
      expect(outlines()).toEqual([])
      expect(panel()?.classList.contains('aside')).toBe(false)
      expect(button('Show on the video')).toBe(root().activeElement)
    })

    test.each<[string, () => void, boolean]>([
      ['the button', () => button('Hide outlines')?.click(), true],
      [
        'Escape, which leaves the panel',
        () => panel()?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })),
        true,
      ],
      ['another answer', () => badge.update(done({ id: 'scan2' }), true), true],
      ['the end of the panel', () => badge.close(false), false],
      ['a video that goes out of sight', () => badge.setShown(false), false],
    ])('are outlined no longer after %s', (_, act, leavesPanel) => {
      open(done({ evidence: [SORA] }))
      button('Show on the video')?.click()
      expect(outlines()).toHaveLength(2)
      act()
      expect(outlines()).toEqual([])
      expect(panel() !== null).toBe(leavesPanel)
      expect(panel()?.classList.contains('aside') ?? false).toBe(false)
    })

    // Seen in a Firefox without a decoder for H.264: outlines around nothing, and the panel out of sight for them.
    test('are offered to be outlined only while the video has a picture', () => {
      const shown = { whole: HD, frame: HD, natural: { width: 2, height: 1 } }
      const offered = () => button('Show on the video')?.hidden === false
      picture = null
      open(done({ evidence: [SORA] }))
      layOut()
      expect(offered()).toBe(false)
      picture = shown
      layOut()
      expect(offered()).toBe(true)
      badge.update(done({ evidence: [SORA], took_ms: 1 }), true)
      expect(offered()).toBe(true)
      const show = button('Show on the video')
      show?.focus()
      show?.click()
      picture = null
      layOut()
      expect(outlines()).toEqual([])
      expect(offered()).toBe(false)
      expect(panel()?.classList.contains('aside')).toBe(false)
      expect(root().activeElement?.localName).toBe('h2')
    })
  })
})
