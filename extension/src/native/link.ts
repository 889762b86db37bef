/**
 * The one line to the native host: opens it when something is asked, says hello, matches answers to requests,
 * and opens it again after it broke, for as long as somebody waits. docs/native-messaging.md is the contract.
 */

import type { Channel } from '../browser'
import type * as wire from '../wire/native'
import { Backoff } from './backoff'
import { PartJoiner } from './parts'

export const HOST = 'org.touchstone.host'
export const PROTOCOL = 1

/** What can be asked; `request` is filled in by the link. */
type WithoutId<T> = T extends { request: string } ? Omit<T, 'request'> : never
export type Question = WithoutId<
  | wire.ScanUrl
  | wire.UploadBegin
  | wire.UploadChunk
  | wire.UploadScan
  | wire.UploadEnd
  | wire.UploadAbort
  | wire.Get
  | wire.Cancel
  | wire.Feedback
  | wire.StatusRequest
>
export type Answer = Extract<wire.AnyNative, { request: string }>
/** What the host tells about a scan, unasked. */
export type ScanNews = wire.ScanProgress | wire.ScanEvidence | wire.Result | wire.Error

/** How the other side is, in the words that the popup shows. */
export type HostState =
  | { is: 'unknown' }
  | { is: 'up'; daemonVersion: string | null; hostVersion: string }
  | { is: 'starting' }
  | { is: 'absent'; reason: string | null }
  | { is: 'no_host'; reason: string | null }
  | { is: 'mismatch'; reason: string }

/** The host answered with an error of the table in docs/native-messaging.md. */
export class HostError extends Error {
  constructor(readonly answer: wire.Error) {
    super(answer.message)
    this.name = 'HostError'
  }

  get code(): number {
    return this.answer.code
  }
}

/** The port broke before the answer came; whether the request was carried out is not known. */
export class LinkLost extends Error {
  constructor(reason: string | null) {
    super(reason ?? 'the native host went away')
    this.name = 'LinkLost'
  }
}

export interface LinkOptions {
  connect: () => Channel
  version: string
  random: () => number
  setTimer: (run: () => void, ms: number) => unknown
  clearTimer: (timer: unknown) => void
  onState: (state: HostState) => void
  onNews: (news: ScanNews) => void
  /** A port just became ready: scans under way must be taken up again on it. */
  onReady: () => void
  /** A port broke: what was being followed on it is not followed any more. */
  onLost: () => void
  /** Whether anybody waits for something: only then is a broken port opened again. */
  wanted: () => boolean
}

interface Waiting {
  question: Question
  sent: boolean
  resolve: (answer: Answer) => void
  reject: (error: Error) => void
}

// A native host start costs a process; a missing host costs little. From half a second to a minute.
const RECONNECT_FIRST_MS = 500
const RECONNECT_CAP_MS = 60_000
// The host speaks first within some 100 ms (docs/native-messaging.md); a cold start on a busy machine gets much more.
const FIRST_WORD_MS = 30_000
// Each port is a process on the user's machine: give it back when nobody asked for anything for two minutes.
const IDLE_MS = 120_000

export class NativeLink {
  limits: wire.Limits | null = null
  private channel: Channel | null = null
  private greeted = false
  private ready = false
  private hostState: HostState = { is: 'unknown' }
  private readonly waiting = new Map<string, Waiting>()
  private readonly parts = new PartJoiner()
  private readonly backoff: Backoff
  private reconnectTimer: unknown = null
  private silenceTimer: unknown = null
  private idleTimer: unknown = null
  private lastId = 0

  constructor(private readonly options: LinkOptions) {
    this.backoff = new Backoff({
      firstMs: RECONNECT_FIRST_MS,
      capMs: RECONNECT_CAP_MS,
      random: options.random,
    })
  }

  get state(): HostState {
    return this.hostState
  }

  /** Opens the port if it is not open. `atOnce` does not wait for the back-off to end: a person asked. */
  open(atOnce = false): void {
    if (this.channel) return
    if (this.reconnectTimer !== null) {
      if (!atOnce) return
      this.options.clearTimer(this.reconnectTimer)
      this.reconnectTimer = null
    }
    this.connect()
  }

  /**
   * Asks the host and gives its answer.
   *
   * @throws HostError when the answer is an error, LinkLost when the port breaks first.
   */
  ask<A extends Answer = Answer>(question: Question): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      this.lastId += 1
      const id = `r${this.lastId}`
      this.waiting.set(id, { question, sent: false, resolve: resolve as (answer: Answer) => void, reject })
      this.open()
      this.flush()
      this.restIfIdle()
    })
  }

  private connect(): void {
    let channel: Channel
    try {
      channel = this.options.connect()
    } catch (error) {
      this.broken(error instanceof Error ? error.message : String(error))
      return
    }
    // Every new port gets its own listeners; those of an older one must not speak for it.
    this.channel = channel
    this.greeted = false
    channel.onMessage((message) => {
      if (this.channel === channel) this.receive(message)
    })
    channel.onClose((reason) => {
      if (this.channel === channel) this.broken(reason ?? null)
    })
    this.silenceTimer = this.options.setTimer(() => this.drop('the native host says nothing'), FIRST_WORD_MS)
  }

  private receive(message: unknown): void {
    if (!isMessage(message)) return
    this.stopSilenceTimer()
    switch (message.type) {
      case 'part': {
        const whole = this.parts.add(message)
        if (whole !== null) this.receive(whole)
        return
      }
      case 'state':
        this.heardState(message)
        return
      case 'welcome':
        this.heardWelcome(message)
        return
      case 'progress':
      case 'evidence':
      case 'result':
        this.options.onNews(message)
        this.restIfIdle()
        return
      case 'error':
        this.heardError(message)
        return
      default:
        if ('request' in message) this.settle(message.request, (asked) => asked.resolve(message as Answer))
    }
  }

  private heardState(state: wire.State): void {
    if (!this.greeted) {
      this.greeted = true
      this.channel?.send({
        type: 'hello',
        request: 'hello',
        protocol: PROTOCOL,
        extension_version: this.options.version,
      } satisfies wire.Hello)
    }
    switch (state.daemon) {
      case 'up':
        this.tell({
          is: 'up',
          daemonVersion: state.daemon_version ?? null,
          hostVersion: state.host_version,
        })
        break
      case 'starting':
        this.tell({ is: 'starting' })
        break
      case 'absent':
        this.tell({ is: 'absent', reason: state.reason ?? null })
        break
    }
  }

  private heardWelcome(welcome: wire.Welcome): void {
    this.limits = welcome.limits
    this.ready = true
    this.backoff.reset()
    this.options.onReady()
    this.flush()
    this.restIfIdle()
  }

  private heardError(error: wire.Error): void {
    // 108: the two speak different versions. Only an update helps, so nothing waits for an answer any more.
    if (error.code === 108) {
      this.tell({ is: 'mismatch', reason: error.message })
      this.failAll(new HostError(error))
      return
    }
    if (error.request && this.waiting.has(error.request)) {
      this.settle(error.request, (asked) => asked.reject(new HostError(error)))
    } else if (error.scan_id) {
      this.options.onNews(error)
    } else {
      console.warn(`Touchstone: native host error ${error.code} ${error.name}: ${error.message}`)
    }
  }

  private settle(id: string, how: (asked: Waiting) => void): void {
    const asked = this.waiting.get(id)
    if (!asked) return
    this.waiting.delete(id)
    how(asked)
    this.restIfIdle()
  }

  private flush(): void {
    if (!this.ready || !this.channel) return
    for (const [id, asked] of this.waiting) {
      if (asked.sent) continue
      asked.sent = true
      this.channel.send({ ...asked.question, request: id })
    }
  }

  private drop(reason: string): void {
    const channel = this.channel
    this.broken(reason)
    channel?.close()
  }

  private broken(reason: string | null): void {
    const wasReady = this.ready
    this.channel = null
    this.ready = false
    this.limits = null
    this.stopSilenceTimer()
    if (!wasReady && this.hostState.is !== 'mismatch') this.tell({ is: 'no_host', reason })
    const error = new LinkLost(reason)
    // Requests that were not sent yet go out on the next port only if one can be had soon; a port that never
    // became ready is a host that is not there, so they fail now and their askers show it.
    for (const [id, asked] of [...this.waiting]) {
      if (asked.sent || !wasReady) this.settle(id, () => asked.reject(error))
    }
    this.options.onLost()
    if (this.options.wanted() || this.waiting.size > 0) this.reconnectLater()
  }

  private reconnectLater(): void {
    if (this.reconnectTimer !== null) return
    // The service worker may die while this timer runs: it is no alarm on purpose. Whoever still looks at a
    // video holds a channel from its page; the page opens it again and that starts the worker and the link.
    this.reconnectTimer = this.options.setTimer(() => {
      this.reconnectTimer = null
      if (!this.channel) this.connect()
    }, this.backoff.next())
  }

  private failAll(error: Error): void {
    for (const [id, asked] of [...this.waiting]) this.settle(id, () => asked.reject(error))
  }

  private stopSilenceTimer(): void {
    if (this.silenceTimer !== null) this.options.clearTimer(this.silenceTimer)
    this.silenceTimer = null
  }

  /** Starts the countdown to giving the port back, anew with everything that happens on it. */
  private restIfIdle(): void {
    if (this.idleTimer !== null) this.options.clearTimer(this.idleTimer)
    this.idleTimer = this.options.setTimer(() => {
      this.idleTimer = null
      if (this.waiting.size > 0 || this.options.wanted() || !this.channel) return
      const channel = this.channel
      this.channel = null
      this.ready = false
      this.limits = null
      channel.close()
    }, IDLE_MS)
  }

  private tell(state: HostState): void {
    this.hostState = state
    this.options.onState(state)
  }
}

function isMessage(value: unknown): value is wire.AnyNative {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
}
