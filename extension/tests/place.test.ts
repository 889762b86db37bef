import { describe, expect, test } from 'vitest'
import { badgePoint, isTiny, panelBox } from '../src/page/place'
import { CORNERS } from '../src/settings'

const VIDEO = { left: 100, top: 50, width: 640, height: 360 }
const BADGE = { width: 120, height: 26 }
const VIEWPORT = { width: 1000, height: 800 }

test.each([
  ['top-left', { left: 108, top: 58 }],
  ['top-right', { left: 612, top: 58 }],
  ['bottom-left', { left: 108, top: 324 }],
  ['bottom-right', { left: 612, top: 324 }],
] as const)('sits in the corner %s, clear of the controls', (corner, point) => {
  expect(badgePoint(VIDEO, BADGE, corner)).toEqual(point)
})

test.each(CORNERS)('stays inside a small video in the corner %s', (corner) => {
  const video = { left: 0, top: 0, width: 120, height: 100 }
  const { left, top } = badgePoint(video, { width: 26, height: 26 }, corner)
  expect(left).toBeGreaterThanOrEqual(0)
  expect(left + 26).toBeLessThanOrEqual(120)
  expect(top).toBeGreaterThanOrEqual(0)
  expect(top + 26).toBeLessThanOrEqual(100)
})

describe('the panel', () => {
  const content = { width: 360, height: 400 }
  const at = (left: number, top: number) => ({ left, top, ...BADGE })

  test.each([
    ['below the badge', at(108, 58), VIEWPORT, { left: 108, top: 90, width: 360, height: 400 }],
    [
      'above it where there is no room below',
      at(108, 700),
      VIEWPORT,
      { left: 108, top: 294, width: 360, height: 400 },
    ],
    ['moved left at the right edge', at(900, 58), VIEWPORT, { left: 632, top: 90, width: 360, height: 400 }],
    [
      'over the badge in a small frame',
      at(8, 8),
      { width: 300, height: 200 },
      { left: 8, top: 8, width: 284, height: 184 },
    ],
  ])('goes %s', (_, badge, viewport, box) => {
    expect(panelBox(badge, content, viewport)).toEqual(box)
  })

  test('never leaves the viewport', () => {
    for (const width of [200, 360, 1000]) {
      for (const height of [120, 400, 900]) {
        for (const [left, top] of [
          [-500, -500],
          [0, 0],
          [width, height],
          [5000, 5000],
        ] as const) {
          const box = panelBox(at(left, top), { width: 360, height: 2000 }, { width, height })
          expect(box.left).toBeGreaterThanOrEqual(0)
          expect(box.top).toBeGreaterThanOrEqual(0)
          expect(box.left + box.width).toBeLessThanOrEqual(width)
          expect(box.top + box.height).toBeLessThanOrEqual(height)
        }
      }
    }
  })
})

test.each([
  [{ width: 99, height: 500 }, true],
  [{ width: 500, height: 99 }, true],
  [{ width: 100, height: 100 }, false],
])('%o is tiny: %s', (size, tiny) => {
  expect(isTiny(size)).toBe(tiny)
})
