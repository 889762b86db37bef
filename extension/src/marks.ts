/** Where in the picture a mark was seen: read from the details of evidence, sorted into places, told in words. */

import type * as wire from './wire/native'
import { type Key, say } from './words'

/** A box of the picture in fractions of its width and height, from its upper left corner. */
export interface MarkBox {
  x: number
  y: number
  w: number
  h: number
}

/** One place in the picture and the times, in seconds and ascending, at which the mark was seen there. */
export interface MarkPlace {
  box: MarkBox
  times: number[]
}

// A mark that stays is bounded a little differently in each picture; marks that jump go farther than this.
const SAME_PLACE = 0.05

/** The places of one piece of evidence in the order in which they were first seen; none where it names none. */
export function placesOf(evidence: wire.Evidence): MarkPlace[] {
  const boxes = evidence.details?.boxes
  if (!Array.isArray(boxes)) return []
  const places: MarkPlace[] = []
  for (const { time_s, ...box } of boxes.filter(isBox).sort((a, b) => a.time_s - b.time_s)) {
    const known = places.find((place) => near(place.box, box))
    if (known) {
      known.box = around(known.box, box)
      known.times.push(time_s)
    } else places.push({ box, times: [time_s] })
  }
  return places
}

/** The places of all evidence of a scan. */
export const placesIn = (scan: wire.Scan): MarkPlace[] => (scan.evidence ?? []).flatMap(placesOf)

type TimedBox = MarkBox & { time_s: number }

/** Details are free in the wire's types, so what is drawn is looked at first: numbers, and within the picture. */
function isBox(value: unknown): value is TimedBox {
  if (typeof value !== 'object' || value === null) return false
  const { time_s, x, y, w, h } = value as Record<string, unknown>
  if (![time_s, x, y, w, h].every((each) => typeof each === 'number' && Number.isFinite(each))) return false
  const box = value as TimedBox
  return (
    box.x >= 0 && box.y >= 0 && box.w > 0 && box.h > 0 && box.x + box.w <= 1.001 && box.y + box.h <= 1.001
  )
}

function near(one: MarkBox, other: MarkBox): boolean {
  const across = Math.abs(one.x + one.w / 2 - other.x - other.w / 2)
  const down = Math.abs(one.y + one.h / 2 - other.y - other.h / 2)
  return across <= SAME_PLACE && down <= SAME_PLACE
}

/** The smallest box around two. */
function around(one: MarkBox, other: MarkBox): MarkBox {
  const x = Math.min(one.x, other.x)
  const y = Math.min(one.y, other.y)
  return {
    x,
    y,
    w: Math.max(one.x + one.w, other.x + other.w) - x,
    h: Math.max(one.y + one.h, other.y + other.h) - y,
  }
}

const WHERE: readonly (readonly [Key, Key, Key])[] = [
  ['where_top_left', 'where_top', 'where_top_right'],
  ['where_left', 'where_middle', 'where_right'],
  ['where_bottom_left', 'where_bottom', 'where_bottom_right'],
]

/** "top left", or the like. */
export function whereInWords({ box }: MarkPlace): string {
  const third = (middle: number) => (middle < 1 / 3 ? 0 : middle > 2 / 3 ? 2 : 1)
  return say(WHERE[third(box.y + box.h / 2)]?.[third(box.x + box.w / 2)] ?? 'where_middle')
}

/** "top left, from 0.5 s to 3.1 s"; without the time in a single picture, which has none. */
export function inWords(place: MarkPlace, single: boolean): string {
  const where = whereInWords(place)
  const [first = 0, last = first] = [place.times[0], place.times.at(-1)]
  if (single) return where
  return first === last
    ? say('mark_at', where, seconds(first))
    : say('mark_from_to', where, seconds(first), seconds(last))
}

const seconds = (value: number): string => value.toLocaleString(undefined, { maximumFractionDigits: 1 })
