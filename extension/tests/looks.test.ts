/** Pictures on their way from a page to the host, and the verdicts that come back. */

import { beforeEach, describe, expect, test } from 'vitest'
import { type Answer, HostError, type Question } from '../src/native/link'
import type { FromLook, ToPage } from '../src/protocol'
import { type Look, Looks } from '../src/scanning/looks'
import type * as wire from '../src/wire/native'
import { FakeTimers, scanOf, settled } from './fakes'

describe('looks', () => {
  let asked: Question[]
  let refuse: (question: Question) => Error | null
  let timers: FakeTimers
  let sent: ToPage[]
  let told: unknown[]
  let results: Map<string, (scan: wire.Scan) => void>
  let looks: Looks
  let look: Look

  beforeEach(() => {
    asked = []
    refuse = () => null
    timers = new FakeTimers()
    sent = []
    told = []
    results = new Map()
    let ids = 0
    looks = new Looks({
      link: {
        limits: null,
        ask: async <A extends Answer>(question: Question): Promise<A> => {
          asked.push(question)
          const refusal = refuse(question)
          if (refusal) throw refusal
          return { type: 'accepted', scan_id: `scan${asked.length}` } as A
        },
      },
      newId: () => `id${++ids}`,
      setTimer: timers.setTimer,
      clearTimer: timers.clearTimer,
      allowed: () => true,
    })
    look = looks.begin(
      'blob:a',
      { key: 'v1', send: (message) => sent.push(message) },
      {
        about: { url: null, pageUrl: 'https://site.example/', fresh: false, automatic: true },
        follow: (scanId) => new Promise((resolve) => results.set(scanId, resolve)),
        onRuns: (runs) => told.push(runs),
        onScan: async (scan) => void told.push(scan.verdict.label),
        onRefusal: (why) => told.push(why),
        onError: (error) => told.push(String(error)),
      },
    )
    look.ask()
  })

  let seq = 0
  const run = async (number: number, width = 4, chunks = 2) => {
    if (number === 0 && width === 4) seq = 0
    const job = 'id1'
    const messages: FromLook[] = [{ type: 'run', job, number, width, height: 2, durationS: 10 }]
    for (let chunk = 0; chunk < chunks; chunk += 1) {
      messages.push({ type: 'run_chunk', job, seq, data: 'YWJj' })
      seq += 1
    }
    messages.push({ type: 'run_end', job, number })
    for (const message of messages) looks.deliver(message)
    await settled()
  }
  const types = () => asked.map(({ type }) => type)
  const verdict = async (label: wire.Label) => {
    const [scanId, resolve] = [...results].at(-1) ?? []
    results.delete(scanId ?? '')
    resolve?.(scanOf({ verdict: { label } }))
    await settled()
  }

  test('asks the page, scans after three runs and again after all', async () => {
    expect(sent).toEqual([{ type: 'look', job: 'id1', key: 'v1', chunkBytes: 524_288 }])
    for (const number of [0, 1, 2]) await run(number)
    expect(types()).toEqual([
      'upload_begin',
      ...Array.from({ length: 6 }, () => 'upload_chunk'),
      'upload_scan',
    ])
    expect(asked[0]).toEqual({
      type: 'upload_begin',
      upload_id: 'id2',
      fresh: false,
      automatic: true,
      page_url: 'https://site.example/',
      frames: { width: 4, height: 2, duration_s: 10 },
    })
    expect(asked.at(-1)).toMatchObject({ chunks: 6 })
    expect(looks.waiting).toBe(true)
    await verdict('no_signs')
    expect([told.at(-1), looks.waiting]).toEqual(['no_signs', false])
    for (const number of [3, 4, 5, 6, 7]) await run(number)
    expect(asked.at(-1)).toMatchObject({ type: 'upload_end', chunks: 16 })
    await verdict('ai_generated')
    expect(told).toEqual([1, 2, 3, 'no_signs', 4, 5, 6, 7, 8, 'ai_generated'])
    expect(types().filter((type) => type === 'upload_scan')).toHaveLength(1)
  })

  test('lets the page send the next chunk only once the host has this one', async () => {
    await run(0)
    expect(sent.slice(1)).toEqual([1, 2].map((nextSeq) => ({ type: 'more', job: 'id1', nextSeq })))
  })

  test('scans what has come when no more comes for a while, but no half run', async () => {
    await run(0)
    timers.fireNext()
    await settled()
    expect(types().at(-1)).toBe('upload_scan')
    await verdict('no_signs')
    await run(1)
    looks.deliver({ type: 'run', job: 'id1', number: 2, width: 4, height: 2, durationS: null })
    expect(timers.fireNext()).toBe(45_000)
    await settled()
    expect(types().filter((type) => type === 'upload_scan')).toHaveLength(1)
    looks.deliver({ type: 'run_end', job: 'id1', number: 2 })
    await settled()
    expect(types().filter((type) => type === 'upload_scan')).toHaveLength(2)
  })

  test('begins anew when the page does so in a larger size', async () => {
    await run(0)
    await run(0, 8)
    expect(types()).toEqual([
      ...['upload_begin', 'upload_chunk', 'upload_chunk'],
      ...['upload_abort', 'upload_begin', 'upload_chunk', 'upload_chunk'],
    ])
    expect(asked.at(-1)).toMatchObject({ upload_id: 'id3', seq: 1 })
  })

  test.each(['altered', 'protected', 'withheld', 'gone'] as const)('ends when it is %s', async (why) => {
    looks.deliver({ type: 'look_refused', job: 'id1', why })
    await settled()
    expect(told).toEqual([why])
    await run(0)
    expect(asked).toEqual([])
  })

  test('goes on after black pictures', async () => {
    looks.deliver({ type: 'look_refused', job: 'id1', why: 'black' })
    await run(0)
    expect(told).toEqual(['black', 1])
  })

  test('has page and host forget it when nobody shows the video any more', async () => {
    await run(0)
    looks.drop('blob:a')
    await settled()
    expect(sent.at(-1)).toEqual({ type: 'stop', job: 'id1' })
    expect(types().at(-1)).toBe('upload_abort')
    await run(1)
    expect([told, looks.waiting]).toEqual([[1], false])
  })

  test('tells of a host that refuses, once, and ends', async () => {
    refuse = ({ type }) =>
      type === 'upload_chunk'
        ? new HostError({ type: 'error', code: 301, name: 'upload_unknown', message: 'no upload' })
        : null
    await run(0)
    await run(1)
    expect(told).toEqual(['HostError: no upload'])
  })
})
