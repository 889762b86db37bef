/** Where badge and panel go: geometry only, in CSS pixels of the viewport. */

import type { Corner } from '../settings'

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

export interface Size {
  width: number
  height: number
}

const INSET = 8
// Players keep their controls in a bar at the bottom, some 40 to 56 pixels high.
const ABOVE_CONTROLS = 60
const CONTROLS_FROM_HEIGHT = 180
/** Below this a video is a decoration or a preview thumbnail: no badge, no scan. */
export const LEAST_PX = 100
/** Below this width the badge shows its sign alone. */
export const WORDS_FROM_PX = 240
const PANEL_WIDTH = 360
const PANEL_HEIGHT = 560
const GAP = 6

/** Top-left point of the badge in its corner of the video. */
export function badgePoint(video: Box, badge: Size, corner: Corner): { left: number; top: number } {
  const low = video.height >= CONTROLS_FROM_HEIGHT ? ABOVE_CONTROLS : INSET
  const top = corner.startsWith('top') ? video.top + INSET : video.top + video.height - badge.height - low
  const left = corner.endsWith('left') ? video.left + INSET : video.left + video.width - badge.width - INSET
  return { left, top }
}

/** Box of the panel beside the badge, inside the viewport: below it if there is room, else above, else over it. */
export function panelBox(badge: Box, content: Size, viewport: Size): Box {
  const width = Math.min(PANEL_WIDTH, viewport.width - 2 * INSET)
  const most = Math.min(content.height, PANEL_HEIGHT, viewport.height - 2 * INSET)
  const below = viewport.height - (badge.top + badge.height + GAP) - INSET
  const above = badge.top - GAP - INSET
  const left = clamp(badge.left, INSET, viewport.width - width - INSET)
  const wanted =
    below >= most ? badge.top + badge.height + GAP : above >= most ? badge.top - GAP - most : badge.top
  // The badge itself may be half out of sight.
  const top = clamp(wanted, INSET, viewport.height - most - INSET)
  return { left, top, width, height: most }
}

const clamp = (value: number, least: number, most: number): number => Math.max(least, Math.min(value, most))

export const isTiny = (video: Size): boolean => video.width < LEAST_PX || video.height < LEAST_PX
