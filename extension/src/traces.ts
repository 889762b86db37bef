/** What the detector looked at, read from its evidence: patches of the picture and runs of time, with scores. */

import { type MarkBox, whereInWords } from './marks'
import type * as wire from './wire/native'
import { say } from './words'

/** A place in the picture, in fractions of its sides, and the mean score of the patches that were cut there. */
export interface Patch {
  box: MarkBox
  times: number[]
  score: number
}

/** A stretch of the clip in seconds, and its score. */
export interface Stretch {
  start_s: number
  end_s: number
  score: number
}

export interface Traces {
  patches: Patch[]
  stretches: Stretch[]
}

/** The traces in a piece of evidence, or null where it has none that can be drawn. */
export function tracesOf({ details, spans = [] }: wire.Evidence): Traces | null {
  const told = details?.patches
  if (!Array.isArray(told)) return null
  const patches: Patch[] = []
  for (const { time_s, score, x, y, w, h } of told.filter(isPatch)) {
    const known = patches.find(({ box }) => box.x === x && box.y === y && box.w === w && box.h === h)
    if (known) {
      known.score += (score - known.score) / (known.times.length + 1)
      known.times.push(time_s)
    } else patches.push({ box: { x, y, w, h }, times: [time_s], score })
  }
  const stretches = spans.flatMap(({ start_s, end_s, score }) =>
    typeof score === 'number' && Number.isFinite(score) ? [{ start_s, end_s, score }] : [],
  )
  return patches.length > 0 && stretches.length > 0 ? { patches, stretches } : null
}

/** Details are free in the wire's types, so what is drawn is looked at first: numbers, and within the picture. */
function isPatch(value: unknown): value is MarkBox & { time_s: number; score: number } {
  if (typeof value !== 'object' || value === null) return false
  const { time_s, score, x, y, w, h } = value as Record<string, number>
  if (![time_s, score, x, y, w, h].every((each) => Number.isFinite(each))) return false
  const [left = -1, top = -1, wide = 0, high = 0] = [x, y, w, h]
  return left >= 0 && top >= 0 && wide > 0 && high > 0 && left + wide <= 1.01 && top + high <= 1.01
}

/** How many shades there are; a drawing with more could not be told apart. */
export const SHADES = 5

/**
 * A shade for each score, from 0 for the lowest of the clip to `SHADES - 1` for the highest. Shades compare a clip
 * with itself only: what a score is worth, nobody may read off a colour. All alike are all in the middle.
 */
export function shades(scores: number[]): number[] {
  const [low, high] = [Math.min(...scores), Math.max(...scores)]
  const step = (score: number) => Math.round(((score - low) / (high - low)) * (SHADES - 1))
  return scores.map((score) => (high > low ? step(score) : (SHADES - 1) / 2))
}

/** The one with the highest score; the first of several. There is at least one. */
export const highest = <T extends { score: number }>(of: T[]): T =>
  of.reduce((best, each) => (each.score > best.score ? each : best))

/** "top left, at 0.5 s": the place and the first time of a patch. */
export const patchInWords = ({ box, times }: Patch): string =>
  say('mark_at', whereInWords({ box, times }), seconds(times[0] ?? 0))

/** Seconds for a label. */
export const seconds = (value: number): string =>
  value.toLocaleString(undefined, { maximumFractionDigits: 1 })
