import { beforeEach, describe, expect, test } from 'vitest'
import { type Answer, HostError, type HostState, LinkLost, type Question } from '../src/native/link'
import type { ToPage } from '../src/protocol'
import { Looks } from '../src/scanning/looks'
import { Memory } from '../src/scanning/memory'
import { ScanQueue } from '../src/scanning/queue'
import { OutOfReach } from '../src/scanning/reach'
import { Scans, type Watcher } from '../src/scanning/scans'
import type { View } from '../src/views'
import type * as wire from '../src/wire/native'
import { FakeStore, FakeTimers, scanOf, settled } from './fakes'

const URL_A = 'https://media.example/a.mp4'
const PAGE = 'https://site.example/watch'

const hostError = (code: number, more: Partial<wire.Error> = {}) =>
  new HostError({ type: 'error', code, name: 'x', message: `error ${code}`, ...more })

/** Answers as a host would; what it was asked is kept. */
class FakeLink {
  readonly asked: Question[] = []
  readonly limits = null
  state: HostState = { is: 'up', daemonVersion: null, hostVersion: '0' }
  opened = 0
  answer: (question: Question) => unknown = (question) => {
    const scan_id = `scan${this.asked.length}`
    return question.type === 'upload_chunk'
      ? { type: 'upload_ack', received: 3 }
      : { type: 'accepted', scan_id }
  }

  readonly ask = async <A extends Answer>(question: Question): Promise<A> => {
    this.asked.push(question)
    const answer = this.answer(question)
    if (answer instanceof Error) throw answer
    return answer as A
  }

  open(): void {
    this.opened += 1
  }

  types(): string[] {
    return this.asked.map(({ type }) => type)
  }
}

describe('scans', () => {
  let link: FakeLink
  let store: FakeStore
  let timers: FakeTimers
  let scans: Scans
  let fetched: string[]
  let now: number
  let pictures: boolean
  let fetchBytes: () => Promise<{
    size: number
    name: string
    chunks: () => AsyncGenerator<string>
    stop: () => void
  }>

  const make = () => {
    let ids = 0
    timers = new FakeTimers()
    return new Scans({
      link,
      memory: new Memory(store, () => now),
      queue: new ScanQueue(2),
      newId: () => `id${++ids}`,
      fetchBytes: (url) => {
        fetched.push(url)
        return fetchBytes()
      },
      setTimer: timers.setTimer,
      looks: new Looks({
        link,
        newId: () => `look${++ids}`,
        setTimer: timers.setTimer,
        clearTimer: timers.clearTimer,
        allowed: () => pictures,
      }),
    })
  }

  const watcher = (change: Partial<Watcher> = {}) => {
    const views: View[] = []
    const sent: ToPage[] = []
    const made: Watcher = {
      pageUrl: PAGE,
      key: 'v1',
      eager: true,
      loaded: true,
      tell: (view) => views.push(view),
      send: (message) => sent.push(message),
      ...change,
    }
    return {
      watcher: made,
      views,
      sent,
      states: () => views.map((view) => view.state),
      last: () => views.at(-1),
    }
  }

  const watch = async (id: string, each: Watcher) => {
    await scans.watch(id, { kind: 'url', url: id }, each)
    await settled()
  }

  const result = async (scanId: string, scan: wire.Scan) => {
    scans.news({ type: 'result', scan_id: scanId, scan })
    await settled()
  }

  beforeEach(() => {
    link = new FakeLink()
    store = new FakeStore()
    fetched = []
    now = 1_000_000
    pictures = false
    fetchBytes = async () => ({
      size: 3,
      name: 'a.mp4',
      chunks: async function* () {
        yield 'YWJj'
      },
      stop: () => undefined,
    })
    scans = make()
  })

  test('asks the daemon to fetch, follows the scan and shows the verdict to everyone who shows the video', async () => {
    const one = watcher()
    const two = watcher({ key: 'v2', eager: false })
    await watch(URL_A, one.watcher)
    await watch(URL_A, two.watcher)
    expect(link.asked).toEqual([
      { type: 'scan', source: { kind: 'url', url: URL_A, page_url: PAGE }, fresh: false, automatic: true },
    ])
    scans.news({
      type: 'progress',
      scan_id: 'scan1',
      progress: { type: 'progress', stage: 'examine', fraction: 0.5 },
    })
    const scan = scanOf({ verdict: { label: 'ai_generated' } })
    await result('scan1', scan)
    for (const each of [one, two]) expect(each.last()).toEqual({ state: 'done', scan, dispute: 'none' })
    expect(one.views).toContainEqual({ state: 'checking', stage: 'examine', fraction: 0.5 })
  })

  test('what the daemon puts off waits, with the reason, until the user asks', async () => {
    const put_off = hostError(207, { message: 'Put off, because this computer runs on its battery.' })
    link.answer = () => put_off
    const one = watcher()
    await watch(URL_A, one.watcher)
    expect(one.last()).toEqual({ state: 'waiting', why: put_off.message })
    // It coming into view again is no reason to ask again.
    await watch(URL_A, watcher({ key: 'v2' }).watcher)
    expect(link.types()).toEqual(['scan'])
    link.answer = () => ({ type: 'accepted', scan_id: 'scan1' })
    await scans.check(URL_A, false)
    await settled()
    expect(link.asked[1]).toMatchObject({ type: 'scan', fresh: false, automatic: false })
    expect(one.last()).toMatchObject({ state: 'checking' })
  })

  test('does not ask twice for what is known, not even after the worker died', async () => {
    await watch(URL_A, watcher().watcher)
    await result('scan1', scanOf())
    scans = make()
    const later = watcher()
    await watch(URL_A, later.watcher)
    expect(link.types()).toEqual(['scan'])
    expect(later.last()).toMatchObject({ state: 'done' })
  })

  test('looks again when asked to, and after its memory has expired', async () => {
    const one = watcher()
    await watch(URL_A, one.watcher)
    await result('scan1', scanOf())
    await scans.check(URL_A, true)
    await settled()
    expect(link.asked[1]).toMatchObject({ type: 'scan', fresh: true, automatic: false })
    await result('scan2', scanOf({ verdict: { label: 'ai_edited' } }))
    expect(one.last()).toMatchObject({ scan: { verdict: { label: 'ai_edited' } } })
    now += 7 * 3600 * 1000
    scans = make()
    await watch(URL_A, watcher().watcher)
    expect(link.types()).toEqual(['scan', 'scan', 'scan'])
  })

  test('leaves alone what is not seen, until it is seen or asked for', async () => {
    const hidden = watcher({ eager: false })
    await watch(URL_A, hidden.watcher)
    expect(link.asked).toEqual([])
    expect(hidden.last()).toEqual({ state: 'waiting' })
    hidden.watcher.eager = true
    await watch(URL_A, hidden.watcher)
    expect(link.types()).toEqual(['scan'])

    await watch('https://media.example/b.mp4', watcher({ eager: false }).watcher)
    await scans.check('https://media.example/b.mp4', false)
    await settled()
    expect(link.asked[1]).toMatchObject({ source: { url: 'https://media.example/b.mp4' }, fresh: false })
  })

  test('scans a few at once, those in sight first', async () => {
    const views = ['a', 'b', 'c', 'd'].map((name) => [`https://x/${name}.mp4`, watcher()] as const)
    for (const [id, each] of views) await watch(id, each.watcher)
    expect(link.asked).toHaveLength(2)
    // c goes out of sight before its turn.
    const [, c] = views[2] as (typeof views)[number]
    c.watcher.eager = false
    await watch('https://x/c.mp4', c.watcher)
    await result('scan1', scanOf())
    expect(link.asked[2]).toMatchObject({ source: { url: 'https://x/d.mp4' } })
    expect(c.last()).toEqual({ state: 'waiting' })
  })

  describe('when the daemon had no bytes', () => {
    const refusal = scanOf({
      source: { kind: 'url', url: URL_A, size_bytes: null },
      verdict: { label: 'unreadable', headline: 'Could not be read: refused' },
    })

    test('fetches what the browser has loaded, and uploads it', async () => {
      const one = watcher()
      await watch(URL_A, one.watcher)
      await result('scan1', refusal)
      expect(fetched).toEqual([URL_A])
      expect(link.types()).toEqual(['scan', 'upload_begin', 'upload_chunk', 'upload_end'])
      await result('scan4', scanOf({ verdict: { label: 'ai_generated' } }))
      expect(one.last()).toMatchObject({ state: 'done', scan: { verdict: { label: 'ai_generated' } } })
    })

    test('does not fetch for a page what the browser has not', async () => {
      const one = watcher({ loaded: false })
      await watch(URL_A, one.watcher)
      await result('scan1', refusal)
      expect(fetched).toEqual([])
      expect(one.last()).toEqual({
        state: 'unreachable',
        why: 'address',
        detail: 'Could not be read: refused',
      })
    })

    test('says so when the server refuses the browser too', async () => {
      fetchBytes = async () => {
        throw new OutOfReach('status', '403')
      }
      const one = watcher()
      await watch(URL_A, one.watcher)
      await result('scan1', refusal)
      expect(one.last()).toEqual({ state: 'unreachable', why: 'status', detail: '403' })
    })

    test('shows the verdict where there were bytes that could not be read', async () => {
      const one = watcher()
      await watch(URL_A, one.watcher)
      await result(
        'scan1',
        scanOf({ verdict: { label: 'unreadable', headline: 'Could not be read: no video' } }),
      )
      expect(fetched).toEqual([])
      expect(one.last()).toMatchObject({ state: 'done', scan: { verdict: { label: 'unreadable' } } })
    })
  })

  describe('bytes that only the page has', () => {
    const BLOB = 'blob:https://site.example/1'
    const source = { kind: 'page_bytes', id: BLOB } as const
    const jobOf = (sent: ToPage[]) => sent.find((message) => message.type === 'read')?.job ?? ''

    test('come from the page in chunks, each asked for', async () => {
      const one = watcher()
      await scans.watch(BLOB, source, one.watcher)
      await settled()
      const job = jobOf(one.sent)
      expect(one.sent).toEqual([{ type: 'read', job, key: 'v1', chunkBytes: 524288 }])
      scans.deliver({ type: 'bytes', job, seq: 0, data: 'YWJj', size: 6 })
      await settled()
      expect(one.sent.at(-1)).toEqual({ type: 'more', job, nextSeq: 1 })
      scans.deliver({ type: 'bytes', job, seq: 1, data: 'YWJj', size: 6 })
      scans.deliver({ type: 'bytes_end', job })
      await settled()
      expect(link.types()).toEqual(['status', 'upload_begin', 'upload_chunk', 'upload_chunk', 'upload_end'])
      expect(link.asked[1]).toMatchObject({ size: 6, page_url: PAGE })
      await result('scan5', scanOf())
      expect(one.last()).toMatchObject({ state: 'done' })
    })

    test.each(['pieces', 'gone'] as const)('say %s when the page cannot read them', async (why) => {
      const one = watcher()
      await scans.watch(BLOB, source, one.watcher)
      await settled()
      scans.deliver({ type: 'bytes_failed', job: jobOf(one.sent), why })
      await settled()
      expect(one.last()).toEqual({ state: 'unreachable', why, detail: null })
    })

    test('are not asked for while there is no host', async () => {
      link.answer = () => new LinkLost(null)
      link.state = { is: 'no_host', reason: null }
      const one = watcher()
      await scans.watch(BLOB, source, one.watcher)
      await settled()
      expect(one.sent).toEqual([])
      expect(one.last()).toMatchObject({ state: 'no_daemon' })
    })

    test('end with the page', async () => {
      const one = watcher()
      await scans.watch(BLOB, source, one.watcher)
      await settled()
      scans.deliver({ type: 'bytes', job: jobOf(one.sent), seq: 0, data: 'YWJj', size: 6 })
      await settled()
      scans.unwatch(BLOB, one.watcher)
      await settled()
      expect(link.types().at(-1)).toBe('upload_abort')
    })
  })

  describe('when something dies', () => {
    test('takes a scan up again by its id after the worker died', async () => {
      await watch(URL_A, watcher().watcher)
      scans = make()
      const later = watcher()
      link.answer = (question) => (question.type === 'get' ? { state: 'running' } : new Error('not again'))
      await watch(URL_A, later.watcher)
      expect(link.asked[1]).toEqual({ type: 'get', scan_id: 'scan1' })
      await result('scan1', scanOf())
      expect(later.last()).toMatchObject({ state: 'done' })
    })

    test('hears a result that follows the answer to get at once', async () => {
      await watch(URL_A, watcher().watcher)
      scans = make()
      const later = watcher()
      link.answer = () => {
        scans.news({ type: 'result', scan_id: 'scan1', scan: scanOf() })
        return { state: 'done' }
      }
      await watch(URL_A, later.watcher)
      expect(later.last()).toMatchObject({ state: 'done' })
    })

    test('begins again when the daemon has forgotten the scan', async () => {
      await watch(URL_A, watcher().watcher)
      scans = make()
      link.answer = (question) => (question.type === 'get' ? hostError(203) : { scan_id: 'anew' })
      const later = watcher()
      await watch(URL_A, later.watcher)
      expect(link.types()).toEqual(['scan', 'get', 'scan'])
      await result('anew', scanOf())
      expect(later.last()).toMatchObject({ state: 'done' })
    })

    test('takes a scan up again on the next port after this one broke', async () => {
      const one = watcher()
      await watch(URL_A, one.watcher)
      scans.linkLost()
      await settled()
      expect(scans.wanted()).toBe(true)
      expect(one.last()).toMatchObject({ state: 'checking' })
      scans.linkReady()
      await settled()
      expect(link.asked[1]).toEqual({ type: 'get', scan_id: 'scan1' })
      await result('scan1', scanOf())
      expect(one.last()).toMatchObject({ state: 'done' })
    })

    test('does not start a host for ever that dies on the same video', async () => {
      const one = watcher()
      await watch(URL_A, one.watcher)
      for (let at = 0; at < 4; at++) {
        scans.linkLost()
        await settled()
        scans.linkReady()
        await settled()
      }
      expect(one.last()).toMatchObject({ state: 'unreachable', why: 'failed' })
      expect(scans.wanted()).toBe(false)
    })

    test('says that nothing runs when there is no host, and goes on once there is', async () => {
      link.answer = () => new LinkLost('not found')
      link.state = { is: 'no_host', reason: null }
      const one = watcher()
      await watch(URL_A, one.watcher)
      expect(one.last()).toEqual({ state: 'no_daemon', why: 'no_host', detail: null })
      expect(scans.wanted()).toBe(true)
      link.answer = () => ({ scan_id: 's' })
      scans.linkReady()
      await settled()
      await result('s', scanOf())
      expect(one.last()).toMatchObject({ state: 'done' })
    })
  })

  test.each([
    [201, { state: 'no_daemon', why: 'daemon_absent', detail: 'error 201' }],
    [108, { state: 'no_daemon', why: 'mismatch', detail: 'error 108' }],
    [202, { state: 'no_daemon', why: 'token', detail: 'error 202' }],
    [205, { state: 'unreachable', why: 'failed', detail: 'error 205' }],
    [206, { state: 'unreachable', why: 'failed', detail: 'error 206' }],
    [307, { state: 'unreachable', why: 'too_large', detail: null }],
  ])('shows host error %i', async (code, view) => {
    link.answer = () => hostError(code)
    const one = watcher()
    await watch(URL_A, one.watcher)
    expect(one.last()).toEqual(view)
  })

  test('comes back to a busy daemon when it says', async () => {
    link.answer = () => hostError(204, { retry_after_s: 3 })
    const one = watcher()
    await watch(URL_A, one.watcher)
    expect(one.last()).toMatchObject({ state: 'checking' })
    link.answer = () => ({ scan_id: 's' })
    expect(timers.fireNext()).toBe(3000)
    await settled()
    expect(link.types()).toEqual(['scan', 'scan'])
  })

  test('a scan that fails on the way says why', async () => {
    const one = watcher()
    await watch(URL_A, one.watcher)
    scans.news({
      type: 'error',
      code: 206,
      name: 'daemon_failed',
      scan_id: 'scan1',
      message: 'internal error',
    })
    await settled()
    expect(one.last()).toEqual({ state: 'unreachable', why: 'failed', detail: 'internal error' })
  })

  test('cancels a scan that nobody waits for any more', async () => {
    const one = watcher()
    await watch(URL_A, one.watcher)
    scans.unwatch(URL_A, one.watcher)
    await settled()
    expect(link.asked[1]).toEqual({ type: 'cancel', scan_id: 'scan1' })
    expect(scans.wanted()).toBe(false)
  })

  describe('pictures, where bytes cannot be had', () => {
    const watchPieces = async (each: Watcher) => {
      await scans.watch('blob:a', { kind: 'page_bytes', id: 'blob:a' }, each)
      await settled()
    }
    const jobOf = (sent: ToPage[], type: 'read' | 'look') =>
      (sent.filter((message) => message.type === type).at(-1) as { job: string } | undefined)?.job ?? ''
    const handOver = async (job: string, runs: number) => {
      for (let number = 0; number < runs; number += 1) {
        scans.deliverPictures({ type: 'run', job, number, width: 4, height: 2, durationS: null })
        scans.deliverPictures({ type: 'run_chunk', job, seq: number, data: 'YWJj' })
        scans.deliverPictures({ type: 'run_end', job, number })
      }
      await settled()
    }

    test('looks at a video that is played in pieces, and gives a verdict, then another', async () => {
      pictures = true
      const one = watcher()
      await watchPieces(one.watcher)
      scans.deliver({ type: 'bytes_failed', job: jobOf(one.sent, 'read'), why: 'pieces' })
      await settled()
      expect(one.last()).toEqual({ state: 'looking', why: 'pieces', runs: 0 })
      await handOver(jobOf(one.sent, 'look'), 8)
      const [first, second] = link.asked
        .map(({ type }, at) => [type, `scan${at + 1}`] as const)
        .filter(([type]) => type === 'upload_scan' || type === 'upload_end')
      expect([first?.[0], second?.[0]]).toEqual(['upload_scan', 'upload_end'])
      await result(first?.[1] ?? '', scanOf())
      expect(one.last()).toMatchObject({ state: 'done', scan: { verdict: { label: 'no_signs' } } })
      scans.news({
        type: 'progress',
        scan_id: second?.[1] ?? '',
        progress: { type: 'progress', stage: 'queued' },
      })
      expect(one.last()).toMatchObject({ state: 'done' })
      await result(second?.[1] ?? '', scanOf({ verdict: { label: 'ai_generated' } }))
      expect(one.last()).toMatchObject({ state: 'done', scan: { verdict: { label: 'ai_generated' } } })
      expect(scans.wanted()).toBe(false)
    })

    test.each([
      [true, { state: 'looking', why: 'too_large', runs: 0 }],
      [false, { state: 'unreachable', why: 'too_large', detail: 'Could not be read: too long' }],
    ] as const)('looks at a video that is too long to fetch, if it may: %s', async (allowed, view) => {
      pictures = allowed
      const one = watcher()
      await watch(URL_A, one.watcher)
      await result(
        'scan1',
        scanOf({
          source: { kind: 'url', size_bytes: null, problem: 'too_large' },
          verdict: { label: 'unreadable', headline: 'Could not be read: too long' },
        }),
      )
      expect(fetched).toEqual([])
      expect(one.last()).toEqual(view)
    })

    test('looks at a camera or call, which has no bytes to begin with', async () => {
      pictures = true
      const one = watcher()
      await scans.watch('live:1', { kind: 'live', id: 'live:1' }, one.watcher)
      await settled()
      expect(one.last()).toEqual({ state: 'looking', why: 'stream', runs: 0 })
      expect(link.asked).toEqual([])
    })

    test('does not where the browser could not load the video either', async () => {
      pictures = true
      const one = watcher({ loaded: false })
      await watchPieces(one.watcher)
      scans.deliver({ type: 'bytes_failed', job: jobOf(one.sent, 'read'), why: 'gone' })
      await settled()
      expect(one.last()).toEqual({ state: 'unreachable', why: 'gone', detail: null })
    })

    test('does not where the user switched it off, or the daemon failed', async () => {
      const one = watcher()
      await scans.watch('live:1', { kind: 'live', id: 'live:1' }, one.watcher)
      await settled()
      expect(one.last()).toEqual({ state: 'unreachable', why: 'stream', detail: null })
      pictures = true
      link.answer = () => hostError(206)
      const other = watcher()
      await watch(URL_A, other.watcher)
      expect(other.last()).toMatchObject({ state: 'unreachable', why: 'failed' })
    })

    test('says why there are no pictures either', async () => {
      pictures = true
      const one = watcher()
      await scans.watch('live:1', { kind: 'live', id: 'live:1' }, one.watcher)
      await settled()
      scans.deliverPictures({ type: 'look_refused', job: jobOf(one.sent, 'look'), why: 'altered' })
      await settled()
      expect(one.last()).toEqual({ state: 'unreachable', why: 'altered', detail: null })
    })

    test('begins anew when the host dies before a verdict, and forgets all with the page', async () => {
      pictures = true
      const one = watcher()
      await scans.watch('live:1', { kind: 'live', id: 'live:1' }, one.watcher)
      await settled()
      const before = jobOf(one.sent, 'look')
      link.answer = () => new LinkLost(null)
      await handOver(before, 1)
      expect(scans.wanted()).toBe(true)
      link.answer = () => ({ scan_id: 's' })
      scans.linkReady()
      await settled()
      const after = jobOf(one.sent, 'look')
      expect(after).not.toBe(before)
      await handOver(after, 1)
      scans.unwatch('live:1', one.watcher)
      await settled()
      expect(link.types().at(-1)).toBe('upload_abort')
      expect(one.sent.at(-1)).toEqual({ type: 'stop', job: after })
      expect(scans.wanted()).toBe(false)
    })
  })

  test('passes on that a verdict is wrong, once, and remembers it', async () => {
    const one = watcher()
    await watch(URL_A, one.watcher)
    await result('scan1', scanOf())
    await scans.dispute(URL_A)
    expect(link.asked[1]).toEqual({ type: 'feedback', scan_id: 'scan1', agrees: false })
    expect(one.views.slice(-2)).toMatchObject([{ dispute: 'sending' }, { dispute: 'sent' }])
    scans = make()
    const later = watcher()
    await watch(URL_A, later.watcher)
    expect(later.last()).toMatchObject({ dispute: 'sent' })
  })

  test('says when that could not be passed on', async () => {
    const one = watcher()
    await watch(URL_A, one.watcher)
    await result('scan1', scanOf())
    link.answer = () => new LinkLost(null)
    await scans.dispute(URL_A)
    expect(one.last()).toMatchObject({ state: 'done', dispute: 'failed' })
  })

  test('works with a store that is full', async () => {
    store.full = true
    const one = watcher()
    await watch(URL_A, one.watcher)
    await result('scan1', scanOf())
    expect(one.last()).toMatchObject({ state: 'done' })
  })
})
