/** Two drawings of where the detector's score comes from: a heat map over the picture and a strip over time. */

import { highest, type Patch, patchInWords, type Stretch, seconds, shades, type Traces } from '../traces'
import { say } from '../words'
import { el, svg } from './dom'
import type { Size } from './place'

const LONGER_SIDE = 200 // of the picture, in CSS pixels; as long as the strip
const STRIP = 32 // pixels that the highest bar is high
const LOWEST = 6 // and the lowest
const THINNEST = 4 // pixels of a bar: a run of three frames in a long clip is none

/**
 * Draws what the detector saw. Darker and higher is more like AI than the rest of the same clip; nothing moves.
 *
 * @param shape width and height of the picture in any unit
 * @param duration of the clip in seconds, or null where nobody knows it
 * @param counts whether the score speaks for AI: only then has the drawing the colour that stands for it
 */
export function drawTraces(
  document: Document,
  { patches, stretches }: Traces,
  shape: Size,
  duration: number | null,
  counts: boolean,
): HTMLElement {
  const end = Math.max(duration ?? 0, ...stretches.map(({ end_s }) => end_s))
  return el(
    document,
    'figure',
    { class: counts ? 'traces counts' : 'traces' },
    map(document, patches, shape),
    strip(document, stretches, end),
    el(
      document,
      'div',
      { class: 'ends soft', 'aria-hidden': 'true' },
      el(document, 'span', {}, say('traces_second', seconds(0))),
      el(document, 'span', {}, say('traces_second', seconds(end))),
    ),
    el(document, 'figcaption', { class: 'soft' }, say('traces_caption')),
  )
}

function map(document: Document, patches: Patch[], shape: Size): SVGElement {
  const scale = LONGER_SIDE / Math.max(shape.width, shape.height)
  const size = { width: shape.width * scale, height: shape.height * scale }
  const shade = shades(patches.map(({ score }) => score))
  // Those that overlap: the highest lies on top.
  const order = patches.map((_, index) => index).sort((a, b) => (shade[a] ?? 0) - (shade[b] ?? 0))
  const top = highest(patches)
  const drawn = order.flatMap((index) => {
    const patch = patches[index]
    if (!patch) return []
    const { x, y, w, h } = patch.box
    const name = `patch shade-${shade[index]}${patch === top && patches.length > 1 ? ' top' : ''}`
    return [rectangle(document, name, [x * size.width, y * size.height, w * size.width, h * size.height])]
  })
  const label = say('traces_map', `${patches.length}`, patchInWords(top))
  return drawing(document, size, label, [
    rectangle(document, 'picture', [0, 0, size.width, size.height]),
    ...drawn,
  ])
}

function strip(document: Document, stretches: Stretch[], end: number): SVGElement {
  const size = { width: LONGER_SIDE, height: STRIP }
  const shade = shades(stretches.map(({ score }) => score))
  const scores = stretches.map(({ score }) => score)
  const [low, high] = [Math.min(...scores), Math.max(...scores)]
  const per = end > 0 ? size.width / end : 0
  const bars = stretches.map(({ start_s, end_s, score }, index) => {
    const wide = Math.max((end_s - start_s) * per, THINNEST)
    const left = Math.min(start_s * per, size.width - wide)
    const tall = LOWEST + (STRIP - LOWEST) * (high > low ? (score - low) / (high - low) : 0.5)
    return rectangle(document, `bar shade-${shade[index]}`, [left, STRIP - tall, wide, tall])
  })
  const top = highest(stretches)
  const label = say('traces_strip', `${stretches.length}`, seconds(top.start_s), seconds(top.end_s))
  return drawing(document, size, label, [
    ...bars,
    svg(document, 'path', { class: 'ground', d: `M0 ${STRIP}H${size.width}` }),
  ])
}

function drawing(document: Document, size: Size, label: string, shapes: SVGElement[]): SVGElement {
  const sides = { width: `${size.width + 2}`, height: `${size.height + 2}` }
  const box = `-1 -1 ${sides.width} ${sides.height}`
  const attributes = { ...sides, class: 'diagram', viewBox: box, role: 'img', 'aria-label': label }
  return svg(document, 'svg', attributes, ...shapes)
}

function rectangle(document: Document, name: string, sides: [number, number, number, number]): SVGElement {
  const [x, y, width, height] = sides.map((side) => `${Math.round(side * 10) / 10}`) as [
    string,
    string,
    string,
    string,
  ]
  return svg(document, 'rect', { class: name, x, y, width, height })
}
