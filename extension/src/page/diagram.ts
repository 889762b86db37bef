/** A small drawing of the picture with the places of a mark in it, and the places in words beside it. */

import { inWords, type MarkBox, type MarkPlace, whereInWords } from '../marks'
import { say } from '../words'
import { el, svg } from './dom'
import type { Size } from './place'

const LONGER_SIDE = 120 // of the drawing, in CSS pixels
const LEAST_SIDE = 5 // of a box in it: a line of letters is thin

/**
 * Draws where a mark was seen. Where there are several places, each has a number in the drawing and in the list.
 *
 * @param shape width and height of the picture in any unit
 * @param single whether there was one picture only, of which no time can be told
 */
export function drawPlaces(
  document: Document,
  places: MarkPlace[],
  shape: Size,
  single: boolean,
): HTMLElement {
  const scale = LONGER_SIDE / Math.max(shape.width, shape.height)
  const size = { width: shape.width * scale, height: shape.height * scale }
  const numbered = places.length > 1
  const sides = { width: `${size.width + 2}`, height: `${size.height + 2}` }
  const drawing = svg(
    document,
    'svg',
    {
      ...sides,
      class: 'diagram',
      viewBox: `-1 -1 ${sides.width} ${sides.height}`,
      role: 'img',
      'aria-label': say('marks_diagram', places.map(whereInWords).join(', ')),
    },
    rectangle(document, 'picture', { x: 0, y: 0, w: size.width, h: size.height }),
    ...places.flatMap(({ box }, index) => drawBox(document, box, size, numbered ? `${index + 1}` : null)),
  )
  const words = places.map((place) => el(document, 'li', {}, inWords(place, single)))
  return el(document, 'div', { class: 'places' }, drawing, el(document, numbered ? 'ol' : 'ul', {}, ...words))
}

function drawBox(document: Document, box: MarkBox, size: Size, number: string | null): SVGElement[] {
  const [w, h] = [Math.max(box.w * size.width, LEAST_SIDE), Math.max(box.h * size.height, LEAST_SIDE)]
  const middle = { x: (box.x + box.w / 2) * size.width, y: (box.y + box.h / 2) * size.height }
  const drawn = rectangle(document, 'mark', { x: middle.x - w / 2, y: middle.y - h / 2, w, h })
  if (number === null) return [drawn]
  // The number stands on the side that has more room.
  const below = middle.y < size.height / 2
  const at = { x: `${middle.x}`, y: `${below ? middle.y + h / 2 + 10 : middle.y - h / 2 - 3}` }
  return [drawn, svg(document, 'text', { ...at, class: 'number' }, number)]
}

function rectangle(document: Document, name: string, { x, y, w, h }: MarkBox): SVGElement {
  const sides = { x: `${x}`, y: `${y}`, width: `${w}`, height: `${h}` }
  return svg(document, 'rect', { class: name, rx: '1.5', ...sides })
}
