/** The signs on the badge, drawn in a 16 by 16 field. Each state has a shape of its own: colour is never alone. */

import type { View } from '../views'
import type { Label } from '../wire/native'
import { svg } from './dom'

interface Glyph {
  /** SVG path data. */
  path: string
  /** Drawn as lines instead of areas. */
  lines?: true
}

const OF_LABEL: Record<Label, Glyph> = {
  // A four-pointed star.
  ai_generated: { path: 'M8 .8 9.9 6.1 15.2 8 9.9 9.9 8 15.2 6.1 9.9.8 8 6.1 6.1Z' },
  // A pencil.
  ai_edited: {
    path: 'M1.8 14.2 2.6 10.6 10.9 2.3a1.2 1.2 0 0 1 1.7 0l1.1 1.1a1.2 1.2 0 0 1 0 1.7L5.4 13.4Z',
  },
  // A camera with its lens left open.
  camera_original: {
    path: 'M1.5 4.6h3L5.7 2.8h4.6l1.2 1.8h3v8.6h-13ZM8 6a2.7 2.7 0 1 0 0 5.4A2.7 2.7 0 0 0 8 6Z',
  },
  // A magnifying glass.
  no_signs: { path: 'M6.8 2.2a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2ZM10.3 10.3 14 14', lines: true },
  // A question mark.
  inconclusive: { path: 'M4.9 5.4a3.1 3.1 0 1 1 4.6 2.7C8.5 8.7 8 9.2 8 10.3M8 13v.4', lines: true },
  // A cross.
  unreadable: { path: 'M3.5 3.5l9 9M12.5 3.5l-9 9', lines: true },
}

const OF_STATE: Record<Exclude<View['state'], 'done'>, Glyph> = {
  // An empty circle.
  waiting: { path: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z', lines: true },
  // An open ring, which turns.
  checking: { path: 'M8 2.5A5.5 5.5 0 1 1 2.5 8', lines: true },
  // The sign of a power switch.
  no_daemon: { path: 'M8 1.8v5.4M4.6 4.3a5.2 5.2 0 1 0 6.8 0', lines: true },
  // An eye.
  looking: {
    path: 'M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8ZM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z',
    lines: true,
  },
  // A circle struck through.
  unreachable: { path: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM4.1 11.9l7.8-7.8', lines: true },
}

const glyphOf = (view: View): Glyph =>
  view.state === 'done' ? OF_LABEL[view.scan.verdict.label] : OF_STATE[view.state]

/** The sign of a view as an element that screen readers skip: the words beside it say the same. */
export function drawGlyph(document: Document, view: View): SVGElement {
  const { path, lines } = glyphOf(view)
  const shape = { d: path, class: lines ? 'lines' : 'area', 'fill-rule': 'evenodd' }
  return svg(
    document,
    'svg',
    { viewBox: '0 0 16 16', 'aria-hidden': 'true', class: 'glyph' },
    svg(document, 'path', shape),
  )
}
