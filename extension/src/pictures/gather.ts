/**
 * Gathers runs of consecutive pictures of one video while its page plays it, and hands each over before the next
 * is begun, so that no more than one run is ever in this page's memory.
 *
 * Only what the user watches is looked at: nothing while the tab is hidden, the video paused, out of sight or
 * played faster or slower than it is. The page's player is never touched.
 */

import { alike, isBlack, type Picture, type Run } from './batch'
import { type Taken, Withheld } from './grab'

export interface FrameMetadata {
  mediaTime: number
  presentedFrames: number
}

/** The parts of HTMLVideoElement that are used. */
export interface WatchedVideo {
  readonly paused: boolean
  readonly ended: boolean
  readonly seeking: boolean
  readonly playbackRate: number
  readonly readyState: number
  readonly videoWidth: number
  readonly videoHeight: number
  readonly mediaKeys: unknown
  requestVideoFrameCallback(callback: (now: number, metadata: FrameMetadata) => void): number
  cancelVideoFrameCallback(handle: number): void
}

export type Refusal = 'altered' | 'protected' | 'black' | 'withheld'

export interface GatherOptions {
  video: WatchedVideo
  /** Takes what the video shows now. Throws Withheld. */
  take: (time: number) => Taken
  /** In a tab that is to be seen, and in its viewport. */
  seen: () => boolean
  pixelsAreTrue: () => boolean
  setTimer: (run: () => void, ms: number) => unknown
  clearTimer: (timer: unknown) => void
  /** Takes a run; the next is begun once this has resolved. Number 0 again: forget those of a smaller size. */
  onRun: (number: number, run: Run) => Promise<void>
  /** Why there are none; after `black` it goes on, and there may be some yet. */
  onRefusal: (why: Refusal) => void
}

export const RUN_FRAMES = 3
export const RUNS = 8
// Seconds between runs: the first three soon, for a first verdict; the others over what is watched after it.
const GAPS_MS = [0, 700, 700, 3000, 6000, 12_000, 20_000, 30_000]
// A browser or machine too slow for three pictures in a row gets this many tries, then single ones do.
const TRIES = 12
// When nothing plays, how often it is looked whether something does; the page's own events wake nothing here.
const IDLE_MS = 1000
// Black pictures in a row, each its own run, before they are called black: films begin so.
const BLACK_RUNS = 3
/** Most bytes that are handed over for one video: 8 runs of 3 in 2160p as I420 are 299 MB. */
export const MOST_BYTES = 304_000_000
// Of one run, in memory at once.
const MOST_RUN_BYTES = 104_000_000
const HAVE_CURRENT_DATA = 2

export class Gathering {
  private stopped = false
  private handle: number | null = null
  private timer: unknown = null
  private taken: { picture: Taken; presented: number; time: number }[] = []
  private tries = 0
  private runs = 0
  private black = 0
  private bytes = 0
  private size: { width: number; height: number } | null = null

  constructor(private readonly options: GatherOptions) {}

  /** Begins, as soon as something plays. */
  start(): void {
    if (this.options.video.mediaKeys) this.refuse('protected')
    else if (!this.options.pixelsAreTrue()) this.refuse('altered')
    else this.wait(GAPS_MS[0] ?? 0)
  }

  stop(): void {
    this.stopped = true
    this.drop()
    if (this.handle !== null) this.options.video.cancelVideoFrameCallback(this.handle)
    if (this.timer !== null) this.options.clearTimer(this.timer)
    this.handle = null
    this.timer = null
  }

  private wait(ms: number): void {
    if (this.stopped) return
    this.timer = this.options.setTimer(() => {
      this.timer = null
      if (this.plays() && this.options.seen()) this.next()
      else this.wait(IDLE_MS)
    }, ms)
  }

  private plays(): boolean {
    const { video } = this.options
    return (
      !video.paused &&
      !video.ended &&
      !video.seeking &&
      video.playbackRate === 1 &&
      video.readyState >= HAVE_CURRENT_DATA &&
      video.videoWidth > 0
    )
  }

  private next(): void {
    this.handle = this.options.video.requestVideoFrameCallback((_, metadata) => {
      this.handle = null
      this.presented(metadata)
    })
  }

  private presented({ mediaTime, presentedFrames }: FrameMetadata): void {
    if (this.stopped) return
    if (this.options.video.mediaKeys) {
      this.refuse('protected')
    } else if (!this.plays()) {
      this.later()
    } else if (this.takeOne(mediaTime, presentedFrames)) {
      if (this.taken.length < this.wanted()) this.next()
      else void this.finish()
    }
  }

  /** Takes the picture that is shown now; false where there is none to be had. */
  private takeOne(time: number, presented: number): boolean {
    const last = this.taken.at(-1)
    if (last && (presented !== last.presented + 1 || time <= last.time)) {
      this.drop()
      this.tries += 1
    }
    try {
      this.taken.push({ picture: this.options.take(time), presented, time })
      return true
    } catch (error) {
      if (error instanceof Withheld) this.refuse('withheld')
      // Else the player was torn down, or the graphics card was lost, under this very picture.
      else this.later()
      return false
    }
  }

  private later(): void {
    this.drop()
    this.wait(IDLE_MS)
  }

  /** How many pictures make a run: three, unless the browser cannot keep up or memory would not do. */
  private wanted(): number {
    const { videoWidth, videoHeight } = this.options.video
    const fits = Math.floor(MOST_RUN_BYTES / (4 * videoWidth * videoHeight))
    return this.tries >= TRIES ? 1 : Math.max(1, Math.min(RUN_FRAMES, fits))
  }

  private async finish(): Promise<void> {
    const taken = this.taken
    this.taken = []
    let run: Picture[] = []
    try {
      for (const { picture } of taken) run.push(await picture.copy())
    } catch {
      // The browser took the picture back: as if it had not been taken.
      run = []
    } finally {
      for (const { picture } of taken) picture.close()
    }
    if (this.stopped) return
    const [first] = run
    if (first && run.every((picture) => alike(first, picture))) await this.handOver(run, first)
    else this.wait(IDLE_MS)
  }

  private async handOver(run: Run, first: Picture): Promise<void> {
    if (run.every(isBlack)) {
      this.sawBlack()
      return
    }
    if (!this.fits(first)) {
      this.wait(IDLE_MS)
      return
    }
    this.bytes += run.reduce((sum, { samples }) => sum + samples.length, 0)
    if (this.bytes > MOST_BYTES) {
      this.stop()
      return
    }
    if (this.tries < TRIES) this.tries = 0
    await this.options.onRun(this.runs, run)
    if (this.stopped) return
    this.runs += 1
    if (this.runs >= RUNS) this.stop()
    else this.wait(GAPS_MS[this.runs] ?? IDLE_MS)
  }

  /** Players begin small and change to more: then it is begun anew. Going back to less adds nothing. */
  private fits({ width, height }: Picture): boolean {
    if (this.size && width === this.size.width && height === this.size.height) return true
    if (this.size && width * height <= this.size.width * this.size.height) return false
    this.size = { width, height }
    this.runs = 0
    this.bytes = 0
    return true
  }

  private sawBlack(): void {
    this.black += 1
    if (this.black === BLACK_RUNS && this.runs === 0) this.options.onRefusal('black')
    this.wait(IDLE_MS)
  }

  private refuse(why: Refusal): void {
    this.stop()
    this.options.onRefusal(why)
  }

  private drop(): void {
    for (const { picture } of this.taken) picture.close()
    this.taken = []
  }
}
