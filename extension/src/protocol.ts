/** The messages between the parts of the extension. Channels: 'page' (content scripts), 'panel' (popup, options). */

import type { HostState } from './native/link'
import type { Corner } from './settings'
import type { View } from './views'

/** How a page plays a video, as far as getting at its bytes is concerned. */
export type VideoSource =
  | { kind: 'url'; url: string }
  /** blob: and data: addresses: only the page can read them. `id` is the same for the same bytes. */
  | { kind: 'page_bytes'; id: string }
  /** A camera, a call, a screen: pictures without bytes. */
  | { kind: 'live'; id: string }
  | { kind: 'none'; why: 'protected' | 'local_file' }

/** One video of a frame. `key` is the frame's own name for it. */
export interface Shown {
  key: string
  source: VideoSource
  /** In the viewport, large enough and not hidden. */
  visible: boolean
  /** The browser itself has got media data from this address, or has tried to. */
  loaded: 'no' | 'yes' | 'failed'
  width: number
  height: number
}

export type FromPage =
  | { type: 'show'; video: Shown; pageUrl: string }
  | { type: 'gone'; key: string }
  | { type: 'check'; key: string; fresh: boolean }
  | { type: 'dispute'; key: string }
  | { type: 'bytes'; job: string; seq: number; data: string; size: number | null }
  | { type: 'bytes_end'; job: string }
  | { type: 'bytes_failed'; job: string; why: 'pieces' | 'gone' }
  | FromLook

/** From a page that looks at a video's pictures. Chunks are base64 and numbered over all runs of a job. */
export type FromLook =
  /** Number 0 begins anew: what came before was smaller. */
  | { type: 'run'; job: string; number: number; width: number; height: number; durationS: number | null }
  | { type: 'run_chunk'; job: string; seq: number; data: string }
  | { type: 'run_end'; job: string; number: number }
  /** After `black` there may be runs yet. */
  | { type: 'look_refused'; job: string; why: 'altered' | 'protected' | 'black' | 'withheld' | 'gone' }

export type ToPage =
  | { type: 'settings'; enabled: boolean; automatic: boolean; corner: Corner }
  | { type: 'view'; key: string; view: View }
  | { type: 'read'; job: string; key: string; chunkBytes: number }
  | { type: 'look'; job: string; key: string; chunkBytes: number }
  | { type: 'more'; job: string; nextSeq: number }
  | { type: 'stop'; job: string }
  | { type: 'reveal'; key: string }

export interface VideoRow {
  frameId: number
  key: string
  /** What to call it: the file name of its address, or null. */
  name: string | null
  view: View
}

export type FromPopup =
  | { type: 'watch_tab'; tabId: number; url: string }
  | { type: 'retry' }
  | { type: 'check_row'; frameId: number; key: string }
  | { type: 'reveal_row'; frameId: number; key: string }

export interface Overview {
  type: 'overview'
  host: HostState
  site: string | null
  siteOn: boolean
  allSites: boolean
  videos: VideoRow[]
}
