/** Reads what only the page can read (blob: and data: addresses) and hands it to the background piece by piece. */

import { bodyOf, encodedChunks } from '../native/base64'
import type { FromPage } from '../protocol'
import { Flow } from './flow'

/** One reading under way. */
export class PageReading {
  private readonly flow = new Flow()

  constructor(
    private readonly job: string,
    private readonly send: (message: FromPage) => void,
  ) {}

  /** Reads to the end, unless stopped. Never throws: what goes wrong is told to the background. */
  async run(url: string, chunkBytes: number, fetcher: typeof fetch): Promise<void> {
    let response: Response
    try {
      response = await fetcher(url)
    } catch {
      // A blob: address that is not backed by a file belongs to a MediaSource (or was revoked, which cannot be
      // told from here): there is no file to fetch.
      this.send({ type: 'bytes_failed', job: this.job, why: 'pieces' })
      return
    }
    const declared = Number(response.headers.get('content-length'))
    const size = declared > 0 ? declared : null
    try {
      let seq = 0
      for await (const data of encodedChunks(bodyOf(response), chunkBytes)) {
        await this.flow.untilWanted(seq)
        if (this.flow.stopped) return
        this.send({ type: 'bytes', job: this.job, seq, data, size })
        seq += 1
      }
      this.send({ type: 'bytes_end', job: this.job })
    } catch {
      // The blob was revoked, or its file changed on disk, while it was read.
      this.send({ type: 'bytes_failed', job: this.job, why: 'gone' })
    }
  }

  /** The background has used everything before `nextSeq`. */
  more(nextSeq: number): void {
    this.flow.more(nextSeq)
  }

  stop(): void {
    this.flow.stop()
  }
}
