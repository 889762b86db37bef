/** Where in its element a video's picture is: geometry only. */

import type { Box, Size } from './place'

/** A picture on the screen, in CSS pixels of the viewport. */
export interface Picture {
  /** All of it, also what its element cuts off. */
  whole: Box
  /** The element's own area, beyond which nothing of it is seen. */
  frame: Box
  /** Its own size, as it is to be shown. */
  natural: Size
}

/** The picture that a video shows now, or null while it has none. Turned by CSS, it is taken as upright. */
export function pictureOf(video: HTMLVideoElement): Picture | null {
  const natural = { width: video.videoWidth, height: video.videoHeight }
  const view = video.ownerDocument.defaultView
  if (!natural.width || !natural.height || !view) return null
  const style = view.getComputedStyle(video)
  const outer = video.getBoundingClientRect()
  // CSS lengths are before transforms, the rectangle is after them.
  const scale = {
    across: outer.width / (video.offsetWidth || outer.width || 1),
    down: outer.height / (video.offsetHeight || outer.height || 1),
  }
  const [left, top, right, bottom] = (['Left', 'Top', 'Right', 'Bottom'] as const).map(
    (side) => px(style[`border${side}Width`]) + px(style[`padding${side}`]),
  ) as [number, number, number, number]
  const inner = {
    width: Math.max(video.offsetWidth - left - right, 0),
    height: Math.max(video.offsetHeight - top - bottom, 0),
  }
  const within = pictureBox(inner, natural, style.objectFit, style.objectPosition)
  const onScreen = (box: Box): Box => ({
    left: outer.left + (left + box.left) * scale.across,
    top: outer.top + (top + box.top) * scale.down,
    width: box.width * scale.across,
    height: box.height * scale.down,
  })
  return { whole: onScreen(within), frame: onScreen({ left: 0, top: 0, ...inner }), natural }
}

/**
 * The picture's box within its frame, by CSS `object-fit` and `object-position` (CSS Images 3, 5.5 and 5.6).
 * Positions that are neither per cent nor pixels count as the middle.
 */
export function pictureBox(frame: Size, natural: Size, objectFit: string, objectPosition: string): Box {
  const size = fittedSize(frame, natural, objectFit)
  const [across = '50%', down = '50%'] = objectPosition.split(' ')
  return {
    left: offset(across, frame.width - size.width),
    top: offset(down, frame.height - size.height),
    ...size,
  }
}

function fittedSize(frame: Size, natural: Size, objectFit: string): Size {
  if (objectFit === 'fill') return frame
  const across = frame.width / natural.width
  const down = frame.height / natural.height
  const factor = {
    contain: Math.min(across, down),
    cover: Math.max(across, down),
    none: 1,
    'scale-down': Math.min(across, down, 1),
  }[objectFit]
  // Videos are contained unless they are told otherwise (HTML, 15.4.1).
  const by = factor ?? Math.min(across, down)
  return { width: natural.width * by, height: natural.height * by }
}

function offset(position: string, free: number): number {
  const value = Number.parseFloat(position)
  if (Number.isNaN(value) || position.startsWith('calc')) return free / 2
  return position.endsWith('%') ? (value / 100) * free : value
}

const px = (length: string): number => Number.parseFloat(length) || 0
