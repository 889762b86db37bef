/** What a `<video>` plays, and how its bytes can be got. */

import { parsed } from '../addresses'
import type { VideoSource } from '../protocol'

/** The parts of HTMLVideoElement that decide. */
export interface PlayedVideo {
  srcObject: unknown
  mediaKeys: unknown
  currentSrc: string
  src: string
  querySelectorAll(selectors: string): ArrayLike<{ src: string }>
}

/**
 * How the bytes of this video can be got, or null while it plays nothing.
 *
 * @param encrypted an `encrypted` event was seen for what is loaded now.
 * @param pageId stands for this page in the identity of what only the page can read.
 */
export function sourceOf(video: PlayedVideo, encrypted: boolean, pageId: string): VideoSource | null {
  if (video.mediaKeys || encrypted) return { kind: 'none', why: 'protected' }
  if (video.srcObject) return { kind: 'live', id: `live:${pageId}` }
  const url = addressOf(video)
  if (!url) return null
  switch (parsed(url)?.protocol) {
    case 'http:':
    case 'https:':
      return { kind: 'url', url }
    case 'blob:':
      return { kind: 'page_bytes', id: url }
    case 'data:':
      // The whole video is in the address: too long for a name, and its start does not tell two videos apart.
      return { kind: 'page_bytes', id: `data:${pageId}` }
    case 'file:':
      return { kind: 'none', why: 'local_file' }
    default:
      return null
  }
}

/** The address that plays or, before the browser has chosen one, the first that it would try. */
export function addressOf(video: PlayedVideo): string {
  if (video.currentSrc) return video.currentSrc
  if (video.src) return video.src
  return video.querySelectorAll('source[src]')[0]?.src ?? ''
}

/** Whether the browser got media data from the address, failed at it, or has not tried. */
export function loadedOf(video: {
  readyState: number
  networkState: number
  error: unknown
}): 'no' | 'yes' | 'failed' {
  const HAVE_METADATA = 1
  const NETWORK_NO_SOURCE = 3
  if (video.readyState >= HAVE_METADATA) return 'yes'
  return video.error || video.networkState === NETWORK_NO_SOURCE ? 'failed' : 'no'
}
