/** Looks at the pictures of playing videos for the background: gathers runs and hands them over chunk by chunk. */

import { encodedChunks } from '../native/base64'
import { batchOf, type Run } from '../pictures/batch'
import { Gathering, type WatchedVideo } from '../pictures/gather'
import { take } from '../pictures/grab'
import { type ProbeCanvas, pixelsAreTrue } from '../pictures/probe'
import type { FromPage } from '../protocol'
import { Flow } from './flow'

interface Watched {
  readonly video: HTMLVideoElement
  readonly seen: boolean
}

interface Look {
  flow: Flow
  gathering: Gathering
}

export class PageLooks {
  private readonly looks = new Map<string, Look>()

  constructor(private readonly send: (message: FromPage) => void) {}

  begin(job: string, watched: Watched | undefined, chunkBytes: number): void {
    if (!watched || !('requestVideoFrameCallback' in watched.video)) {
      this.send({ type: 'look_refused', job, why: watched ? 'withheld' : 'gone' })
      return
    }
    const { video } = watched
    const canvas = once(() => video.ownerDocument.createElement('canvas'))
    const flow = new Flow()
    let seq = 0
    const onRun = async (number: number, run: Run): Promise<void> => {
      const { width = 0, height = 0 } = run[0] ?? {}
      const durationS = Number.isFinite(video.duration) ? video.duration : null
      this.send({ type: 'run', job, number, width, height, durationS })
      for await (const data of encodedChunks(batchOf(number, run), chunkBytes)) {
        await flow.untilWanted(seq)
        if (flow.stopped) return
        this.send({ type: 'run_chunk', job, seq, data })
        seq += 1
      }
      this.send({ type: 'run_end', job, number })
    }
    const gathering = new Gathering({
      video: video as WatchedVideo,
      take: (time) => take(video, time, canvas, globalThis.VideoFrame),
      seen: () => watched.seen,
      pixelsAreTrue: () => pixelsAreTrue(() => video.ownerDocument.createElement('canvas') as ProbeCanvas),
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      onRun,
      onRefusal: (why) => this.send({ type: 'look_refused', job, why }),
    })
    this.looks.set(job, { flow, gathering })
    gathering.start()
  }

  /** The background has used every chunk before `nextSeq`. */
  more(job: string, nextSeq: number): void {
    this.looks.get(job)?.flow.more(nextSeq)
  }

  stop(job: string): void {
    const look = this.looks.get(job)
    this.looks.delete(job)
    look?.flow.stop()
    look?.gathering.stop()
  }

  stopAll(): void {
    for (const job of [...this.looks.keys()]) this.stop(job)
  }
}

function once<T>(make: () => T): () => T {
  let made: T | null = null
  return () => (made ??= make())
}
