/**
 * Videos whose bytes cannot be had, looked at while they play: the background's end. Runs of pictures come from
 * the page and go to the host as one upload that stays open: a first verdict after a few of them, another one
 * when all have come. Should the worker or the host die on the way, a verdict that was reached stands, and
 * otherwise all begins anew.
 */

import type { Uplink, UploadAbout } from '../native/upload'
import type { FromLook, ToPage } from '../protocol'
import type * as wire from '../wire/native'

/** Runs that a first verdict takes, and all that are taken: `RUNS` of pictures/gather.ts. */
const FIRST_RUNS = 3
const ALL_RUNS = 8
// Somebody pauses, or leaves: what has come by then is scanned, first soon, later for completeness.
const FIRST_AFTER_MS = 6000
const NEXT_AFTER_MS = 45_000
const DEFAULT_CHUNK_BYTES = 512 * 1024

export interface LookHooks {
  about: UploadAbout
  follow: (scanId: string) => Promise<wire.Scan>
  onRuns: (runs: number) => void
  onScan: (scan: wire.Scan) => Promise<void>
  onRefusal: (why: Extract<FromLook, { type: 'look_refused' }>['why']) => void
  onError: (error: unknown) => void
}

export interface LooksOptions {
  link: Uplink
  newId: () => string
  setTimer: (run: () => void, ms: number) => unknown
  clearTimer: (timer: unknown) => void
  /** The user's setting. */
  allowed: () => boolean
}

/** A page that can be asked for a video's pictures. */
export interface Showing {
  key: string
  send: (message: ToPage) => void
}

/** All looks under way, by job and by the video's identity. */
export class Looks {
  private readonly looks = new Map<string, { subject: string; look: Look }>()

  constructor(private readonly options: LooksOptions) {}

  get allowed(): boolean {
    return this.options.allowed()
  }

  /** Whether somebody waits for a first verdict on pictures that are on their way. */
  get waiting(): boolean {
    return [...this.looks.values()].some(({ look }) => look.waiting)
  }

  begin(subject: string, showing: Showing, hooks: LookHooks): Look {
    this.drop(subject)
    const job = this.options.newId()
    const look = new Look(job, showing, hooks, this.options)
    this.looks.set(job, { subject, look })
    return look
  }

  deliver(message: FromLook): void {
    this.looks.get(message.job)?.look.deliver(message)
  }

  /** Nobody shows this video any more, or it is begun anew. */
  drop(subject: string): void {
    for (const [job, each] of [...this.looks]) {
      if (each.subject !== subject) continue
      this.looks.delete(job)
      each.look.end()
    }
  }
}

export class Look {
  private uploadId: string | null = null
  private seq = 0
  private runs = 0
  private scanned = 0
  private inRun = false
  private due = false
  private verdicts = 0
  private ended = false
  private timer: unknown = null
  /** What the page says is worked off in its order. */
  private work: Promise<void> = Promise.resolve()

  constructor(
    private readonly job: string,
    private readonly showing: Showing,
    private readonly hooks: LookHooks,
    private readonly options: LooksOptions,
  ) {}

  get waiting(): boolean {
    return this.uploadId !== null && this.verdicts === 0
  }

  /** Asks the page for pictures. */
  ask(): void {
    const chunkBytes = this.options.link.limits?.chunk_bytes ?? DEFAULT_CHUNK_BYTES
    this.showing.send({ type: 'look', job: this.job, key: this.showing.key, chunkBytes })
  }

  deliver(message: FromLook): void {
    this.after(() => this.handle(message))
  }

  /** Takes nothing more, and has the page and the host forget what is under way. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.stopTimer()
    this.showing.send({ type: 'stop', job: this.job })
    this.abort()
  }

  private after(step: () => Promise<void>): void {
    this.work = this.work
      .then(() => (this.ended ? undefined : step()))
      .catch((error: unknown) => {
        if (this.ended) return
        this.end()
        this.hooks.onError(error)
      })
  }

  private async handle(message: FromLook): Promise<void> {
    switch (message.type) {
      case 'run':
        this.inRun = true
        if (message.number === 0) await this.open(message)
        break
      case 'run_chunk':
        await this.chunk(message.data)
        this.showing.send({ type: 'more', job: this.job, nextSeq: message.seq + 1 })
        break
      case 'run_end':
        this.inRun = false
        this.runs = message.number + 1
        this.hooks.onRuns(this.runs)
        await this.scanIfDue()
        break
      case 'look_refused':
        this.hooks.onRefusal(message.why)
        if (message.why !== 'black') this.end()
        break
    }
  }

  private async open(run: Extract<FromLook, { type: 'run' }>): Promise<void> {
    this.abort()
    this.uploadId = this.options.newId()
    this.seq = 0
    this.runs = 0
    this.scanned = 0
    const { url, pageUrl, fresh, automatic } = this.hooks.about
    await this.options.link.ask<wire.UploadAck>({
      type: 'upload_begin',
      upload_id: this.uploadId,
      fresh,
      automatic,
      frames: { width: run.width, height: run.height, duration_s: run.durationS },
      ...(url ? { url } : {}),
      ...(pageUrl ? { page_url: pageUrl } : {}),
    })
  }

  private async chunk(data: string): Promise<void> {
    if (this.uploadId === null) return
    await this.options.link.ask<wire.UploadAck>({
      type: 'upload_chunk',
      upload_id: this.uploadId,
      seq: this.seq,
      data,
    })
    this.seq += 1
  }

  private async scanIfDue(): Promise<void> {
    const enough = this.runs >= ALL_RUNS || (this.scanned === 0 && this.runs >= FIRST_RUNS)
    if (enough || this.due) await this.scan()
    else if (this.timer === null && this.runs > this.scanned) this.startTimer()
  }

  private async scan(): Promise<void> {
    const upload_id = this.uploadId
    if (upload_id === null || this.runs <= this.scanned) return
    this.due = false
    this.stopTimer()
    this.scanned = this.runs
    const all = this.runs >= ALL_RUNS
    const { scan_id } = await this.options.link.ask<wire.Accepted>({
      type: all ? 'upload_end' : 'upload_scan',
      upload_id,
      chunks: this.seq,
    })
    if (all) this.uploadId = null
    // Pictures go on coming while these are scanned.
    const result = this.hooks.follow(scan_id)
    void result.then(
      (scan) => this.after(() => this.reached(scan)),
      (error: unknown) =>
        this.after(async () => {
          throw error
        }),
    )
  }

  private async reached(scan: wire.Scan): Promise<void> {
    this.verdicts += 1
    await this.hooks.onScan(scan)
  }

  private startTimer(): void {
    this.timer = this.options.setTimer(
      () => {
        this.timer = null
        this.after(async () => {
          this.due = true
          // Half a run is nothing to scan: its end is near.
          if (!this.inRun) await this.scan()
        })
      },
      this.scanned === 0 ? FIRST_AFTER_MS : NEXT_AFTER_MS,
    )
  }

  private stopTimer(): void {
    if (this.timer !== null) this.options.clearTimer(this.timer)
    this.timer = null
  }

  private abort(): void {
    const upload_id = this.uploadId
    this.uploadId = null
    // The host may have dropped it already, or be gone: then there is nothing to forget.
    if (upload_id !== null) this.options.link.ask({ type: 'upload_abort', upload_id }).catch(() => undefined)
  }
}
