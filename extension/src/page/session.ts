/**
 * A page's line to the background. The background's worker may be put to sleep or die at any time, which closes
 * the channel. While this page waits for something it is opened again after a moment; otherwise only when there is
 * something to say, so that pages with nothing to ask let the worker sleep. Each new channel is told everything.
 */

import type { Channel } from '../browser'
import { Backoff } from '../native/backoff'
import type { FromPage, ToPage } from '../protocol'

export interface SessionOptions {
  connect: () => Channel
  /** False once the extension was updated or removed: nothing will ever answer this page again. */
  alive: () => boolean
  random: () => number
  setTimer: (run: () => void, ms: number) => unknown
  onMessage: (message: ToPage) => void
  /** Something is under way that the background must tell the end of. */
  waiting: () => boolean
  /** A channel was opened: say everything. */
  onOpen: () => void
  /** The extension is gone from under this page. */
  onOrphaned: () => void
}

const FIRST_MS = 250
const CAP_MS = 30_000

export class Session {
  private channel: Channel | null = null
  private planned = false
  private ended = false
  private readonly backoff: Backoff

  constructor(private readonly options: SessionOptions) {
    this.backoff = new Backoff({ firstMs: FIRST_MS, capMs: CAP_MS, random: options.random })
  }

  open(): void {
    if (this.channel || this.ended) return
    if (!this.options.alive()) {
      this.end()
      return
    }
    let channel: Channel
    try {
      channel = this.options.connect()
    } catch {
      // The worker is just being replaced, or the extension has gone; `alive` tells which at the next try.
      this.again()
      return
    }
    this.channel = channel
    channel.onMessage((message) => {
      const heard = message as ToPage
      // Only an end shows that things work: a worker that says "no program" on every channel is left in peace.
      if (heard.type === 'view' && heard.view.state === 'done') this.backoff.reset()
      this.options.onMessage(heard)
    })
    channel.onClose(() => {
      if (this.channel !== channel) return
      this.channel = null
      if (this.options.waiting()) this.again()
    })
    this.options.onOpen()
  }

  send(message: FromPage): void {
    this.open()
    try {
      this.channel?.send(message)
    } catch {
      // The channel has just died; everything is said anew on the next one.
    }
  }

  close(): void {
    this.ended = true
    this.channel?.close()
    this.channel = null
  }

  private again(): void {
    if (this.planned || this.ended) return
    this.planned = true
    this.options.setTimer(() => {
      this.planned = false
      this.open()
    }, this.backoff.next())
  }

  private end(): void {
    this.ended = true
    this.options.onOrphaned()
  }
}
