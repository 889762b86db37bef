import { beforeEach, describe, expect, test } from 'vitest'
import { Session } from '../src/page/session'
import type { ToPage } from '../src/protocol'
import { FakeChannel, FakeTimers, scanOf } from './fakes'

describe("a page's line to the background", () => {
  let channels: FakeChannel[]
  let timers: FakeTimers
  let heard: ToPage[]
  let opened: number
  let orphaned: number
  let alive: boolean
  let waiting: boolean
  let session: Session

  const channel = () => channels.at(-1) as FakeChannel

  beforeEach(() => {
    channels = []
    heard = []
    opened = 0
    orphaned = 0
    alive = true
    waiting = true
    timers = new FakeTimers()
    session = new Session({
      connect: () => {
        channels.push(new FakeChannel())
        return channel()
      },
      alive: () => alive,
      random: () => 1,
      setTimer: timers.setTimer,
      onMessage: (message) => heard.push(message),
      waiting: () => waiting,
      onOpen: () => {
        opened += 1
      },
      onOrphaned: () => {
        orphaned += 1
      },
    })
  })

  test('opens with the first thing to say, and only once', () => {
    expect(channels).toHaveLength(0)
    session.send({ type: 'gone', key: 'v1' })
    session.send({ type: 'gone', key: 'v2' })
    expect(channels).toHaveLength(1)
    expect(channel().sent).toHaveLength(2)
    expect(opened).toBe(1)
  })

  test('opens again, later and later, while something is waited for', () => {
    session.open()
    const waits = [1, 2, 3, 4].map(() => {
      channel().break()
      return timers.fireNext()
    })
    expect(waits).toEqual([250, 500, 1000, 2000])
    expect(opened).toBe(5)
  })

  test('starts over with short waits once a verdict came', () => {
    session.open()
    channel().break()
    timers.fireNext()
    channel().say({ type: 'view', key: 'v1', view: { state: 'no_daemon', why: 'no_host', detail: null } })
    channel().break()
    expect(timers.fireNext()).toBe(500)
    channel().say({ type: 'view', key: 'v1', view: { state: 'done', scan: scanOf(), dispute: 'none' } })
    channel().break()
    expect(timers.fireNext()).toBe(250)
    expect(heard).toHaveLength(2)
  })

  test('lets the worker sleep when nothing is waited for, and wakes it when there is something to say', () => {
    session.open()
    waiting = false
    channel().break()
    expect(timers.set).toEqual([])
    session.send({ type: 'check', key: 'v1', fresh: false })
    expect(channels).toHaveLength(2)
    expect(channel().sent).toEqual([{ type: 'check', key: 'v1', fresh: false }])
  })

  test('gives up for good when the extension is gone', () => {
    session.open()
    alive = false
    channel().break()
    timers.fireNext()
    expect(orphaned).toBe(1)
    session.send({ type: 'gone', key: 'v1' })
    expect(channels).toHaveLength(1)
  })

  test('survives a channel that dies while it is spoken to', () => {
    session.open()
    channel().closed = true
    expect(() => session.send({ type: 'gone', key: 'v1' })).not.toThrow()
  })
})
