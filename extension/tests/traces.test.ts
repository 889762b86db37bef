// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest'
import { drawTraces } from '../src/page/heat'
import { SHADES, shades, type Traces, tracesOf } from '../src/traces'
import type { Evidence } from '../src/wire/native'

const patch = (time_s: number, x: number, score: number) => ({ time_s, x, y: 0.1, w: 0.2, h: 0.3, score })
const LOOKED: Evidence = {
  examiner: 'detector',
  finding: 'A score',
  supports: 'neither',
  details: { patches: [patch(0, 0, 1), patch(2, 0, 3), patch(2, 0.4, -1), patch(4, 0.8, 5)] },
  spans: [
    { start_s: 0, end_s: 0.1, score: 1 },
    { start_s: 2, end_s: 2.1, score: 0.5 },
    { start_s: 4, end_s: 4.1, score: 5 },
  ],
}
const WIDE = { width: 1280, height: 640 }
const traces = (change: Partial<Evidence> = {}): Traces => {
  const found = tracesOf({ ...LOOKED, ...change })
  if (!found) throw new Error('there are traces')
  return found
}
const sides = (rect: Element) =>
  ['x', 'y', 'width', 'height'].map((name) => Math.round(Number(rect.getAttribute(name))))

describe('traces', () => {
  test('are means of what was cut at one place, with all its times', () => {
    expect(traces().patches.map(({ box, times, score }) => [box.x, times, score])).toEqual([
      [0, [0, 2], 2],
      [0.4, [2], -1],
      [0.8, [4], 5],
    ])
  })

  test.each<[string, Partial<Evidence>]>([
    ['no details', { details: {} }],
    ['no list', { details: { patches: 'many' } }],
    ['nothing in it', { details: { patches: [] } }],
    ['no numbers', { details: { patches: [{ ...patch(0, 0, 1), score: 'high' }, null, 7] } }],
    ['not within the picture', { details: { patches: [patch(0, 0.9, 1), patch(0, -0.1, 1)] } }],
    ['not finite', { details: { patches: [patch(0, 0, Number.NaN)] } }],
    ['no scores over time', { spans: [{ start_s: 0, end_s: 1 }] }],
  ])('are none with %s', (_, change) => {
    expect(tracesOf({ ...LOOKED, ...change })).toBeNull()
  })

  test('have shades from the lowest to the highest, and one where all are alike', () => {
    expect(shades([-1, 2, 5])).toEqual([0, 2, SHADES - 1])
    expect(shades([7, 7])).toEqual([2, 2])
  })
})

describe('the drawings of them', () => {
  const drawn = (of: Traces, duration: number | null = 8, counts = true) =>
    drawTraces(document, of, WIDE, duration, counts)

  test('put each patch where it was cut, the highest on top and framed', () => {
    const [map] = drawn(traces()).querySelectorAll('svg')
    const [picture, ...patches] = [...(map?.querySelectorAll('rect') ?? [])]
    expect(picture && sides(picture)).toEqual([0, 0, 200, 100])
    expect(patches.map((each) => [each.getAttribute('class'), sides(each)])).toEqual([
      ['patch shade-0', [80, 10, 40, 30]],
      ['patch shade-2', [0, 10, 40, 30]],
      ['patch shade-4 top', [160, 10, 40, 30]],
    ])
  })

  test.each<[number | null, number[]]>([
    [8, [0, 50, 100]],
    [null, [0, 98, 195]], // of unknown length: as far as was looked; no bar leaves the strip
    [1, [0, 98, 195]], // of a length that cannot be true
  ])('put each stretch where it was in %o seconds', (duration, lefts) => {
    const [, strip] = drawn(traces(), duration).querySelectorAll('svg')
    const bars = [...(strip?.querySelectorAll('.bar') ?? [])].map(sides)
    expect(bars.map(([left]) => left)).toEqual(lefts)
    const bottoms = bars.map(([, top = 0, , height = 0]) => top + height)
    expect(new Set(bottoms)).toEqual(new Set([32]))
    const heights = bars.map(([, , , height = 0]) => height)
    expect(Math.max(...heights)).toBe(heights[2])
    expect(Math.min(...heights)).toBe(heights[1])
  })

  test('have names that tell what they show', () => {
    const [map, strip] = drawn(traces()).querySelectorAll('svg')
    for (const drawing of [map, strip]) expect(drawing?.getAttribute('role')).toBe('img')
    expect(map?.getAttribute('aria-label')).toContain('looked at: 3')
    expect(map?.getAttribute('aria-label')).toContain('top right, at 4 s')
    expect(strip?.getAttribute('aria-label')).toContain('from 4 s to 4.1 s')
  })

  test('say that shades are no probability', () => {
    expect(drawn(traces()).textContent).toContain('does not show how likely AI is')
  })

  test('of a single patch have no frame, since nothing is higher than the rest', () => {
    const one = traces({
      details: { patches: [patch(0, 0, 1)] },
      spans: [{ start_s: 0, end_s: 0, score: 1 }],
    })
    const figure = drawn(one, 0)
    expect(figure.querySelector('.top')).toBeNull()
    expect(figure.outerHTML).not.toMatch(/NaN|Infinity/)
  })
})
