/** Bytes that only a page can read, on their way from its content script: the background's end. */

import type { ByteSource } from '../native/upload'
import type { FromPage, ToPage } from '../protocol'
import { OutOfReach } from './reach'

type Delivered = Extract<FromPage, { job: string }>

/** One delivery. The page sends the next chunk only when asked for it. */
export class PageBytes implements ByteSource {
  readonly name = null
  size: number | null = null
  private readonly arrived: string[] = []
  private nextSeq = 0
  private ended = false
  private failure: OutOfReach | null = null
  private wake: (() => void) | null = null

  private constructor(
    readonly job: string,
    private readonly send: (message: ToPage) => void,
  ) {}

  /**
   * Asks the page to read, and waits for its first chunk so that the size is known.
   *
   * @throws OutOfReach when the page cannot read the bytes.
   */
  static async begin(
    job: string,
    key: string,
    chunkBytes: number,
    send: (message: ToPage) => void,
    register: (bytes: PageBytes) => void,
  ): Promise<PageBytes> {
    const bytes = new PageBytes(job, send)
    register(bytes)
    send({ type: 'read', job, key, chunkBytes })
    await bytes.untilNews()
    if (bytes.failure) throw bytes.failure
    return bytes
  }

  deliver(message: Delivered): void {
    switch (message.type) {
      case 'bytes':
        if (message.seq === this.nextSeq) {
          this.nextSeq += 1
          this.size = message.size
          this.arrived.push(message.data)
        }
        break
      case 'bytes_end':
        this.ended = true
        break
      case 'bytes_failed':
        this.failure = new OutOfReach(message.why)
        break
    }
    this.wake?.()
  }

  /** The page went away. */
  lost(): void {
    if (this.ended) return
    this.failure = new OutOfReach('gone')
    this.wake?.()
  }

  async *chunks(): AsyncGenerator<string> {
    try {
      for (;;) {
        const data = this.arrived.shift()
        if (data !== undefined) {
          yield data
          this.send({ type: 'more', job: this.job, nextSeq: this.nextSeq })
        } else if (this.failure) {
          throw this.failure
        } else if (this.ended) {
          return
        } else {
          await this.untilNews()
        }
      }
    } finally {
      if (!this.ended && !this.failure) this.stop()
    }
  }

  stop(): void {
    this.send({ type: 'stop', job: this.job })
  }

  private async untilNews(): Promise<void> {
    while (this.arrived.length === 0 && !this.ended && !this.failure) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
    this.wake = null
  }
}
