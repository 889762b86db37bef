/** A video that pages show, by the identity of its bytes: one however many of them show it. */

import type { ToPage, VideoSource } from '../protocol'
import type { View } from '../views'

/** One `<video>` on one page that shows a subject. */
export interface Watcher {
  pageUrl: string
  key: string
  /** Worth checking without being asked: visible, loaded, and the user wants it. */
  eager: boolean
  loaded: boolean
  tell: (view: View) => void
  send: (message: ToPage) => void
}

export interface Subject {
  id: string
  source: Exclude<VideoSource, { kind: 'none' }>
  watchers: Set<Watcher>
  view: View
  fresh: boolean
  /** The user asked; otherwise it merely came into view. */
  asked: boolean
  /** How often the port broke under this scan. */
  breaks: number
  running: boolean
  /** Waits for the host: to be queued again when the link is ready. */
  stalled: boolean
  scanId: string | null
}
