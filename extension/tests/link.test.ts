import { beforeEach, describe, expect, test } from 'vitest'
import { HostError, type HostState, LinkLost, NativeLink, type ScanNews } from '../src/native/link'
import { FakeChannel, FakeTimers, scanOf, settled } from './fakes'

const UP = { type: 'state', protocol: 1, host_version: '0.1.0', daemon: 'up', daemon_version: '0.2.0' }
const LIMITS = { message_bytes: 1048576, chunk_bytes: 524288, window: 4, upload_bytes: 2147483648, scans: 64 }
const WELCOME = {
  type: 'welcome',
  request: 'hello',
  protocol: 1,
  host_version: '0.1.0',
  daemon: 'up',
  limits: LIMITS,
}

describe('the line to the native host', () => {
  let channels: FakeChannel[]
  let timers: FakeTimers
  let states: HostState[]
  let news: ScanNews[]
  let wanted: boolean
  let calls: string[]
  let link: NativeLink

  const channel = (): FakeChannel => channels.at(-1) as FakeChannel
  const ready = () => {
    channel().say(UP)
    channel().say(WELCOME)
  }

  beforeEach(() => {
    channels = []
    states = []
    news = []
    calls = []
    wanted = false
    timers = new FakeTimers()
    link = new NativeLink({
      connect: () => {
        channels.push(new FakeChannel())
        return channel()
      },
      version: '0.1.0',
      random: () => 1,
      setTimer: timers.setTimer,
      clearTimer: timers.clearTimer,
      onState: (state) => states.push(state),
      onNews: (each) => news.push(each),
      onReady: () => calls.push('ready'),
      onLost: () => calls.push('lost'),
      wanted: () => wanted,
    })
  })

  test('opens one port, waits for the host to speak, says hello, and asks only when welcome', async () => {
    const answer = link.ask({ type: 'get', scan_id: 'a' })
    link.open()
    expect(channels).toHaveLength(1)
    expect(channel().sent).toEqual([])
    channel().say({ ...UP, daemon: 'starting', daemon_version: undefined })
    channel().say(UP)
    expect(channel().sent).toEqual([
      { type: 'hello', request: 'hello', protocol: 1, extension_version: '0.1.0' },
    ])
    channel().say(WELCOME)
    expect(channel().sent[1]).toEqual({ type: 'get', scan_id: 'a', request: 'r1' })
    channel().say({ type: 'scan_state', request: 'r1', scan_id: 'a', state: 'running' })
    expect(await answer).toMatchObject({ state: 'running' })
    expect(states.map(({ is }) => is)).toEqual(['starting', 'up'])
    expect(link.limits).toEqual(LIMITS)
  })

  test('matches answers to requests in any order', async () => {
    link.open()
    ready()
    const first = link.ask({ type: 'get', scan_id: 'a' })
    const second = link.ask({ type: 'get', scan_id: 'b' })
    channel().say({ type: 'scan_state', request: 'r2', scan_id: 'b', state: 'done' })
    channel().say({ type: 'scan_state', request: 'r1', scan_id: 'a', state: 'queued' })
    expect([await first, await second]).toMatchObject([{ scan_id: 'a' }, { scan_id: 'b' }])
  })

  test('gives the error that answers a request to its asker, and one about a scan to the news', async () => {
    link.open()
    ready()
    const asked = link.ask({ type: 'get', scan_id: 'a' })
    channel().say({ type: 'error', code: 203, name: 'scan_unknown', request: 'r1', message: 'no scan a' })
    await expect(asked).rejects.toMatchObject({ code: 203, message: 'no scan a' })
    channel().say({ type: 'error', code: 206, name: 'daemon_failed', scan_id: 'b', message: 'it failed' })
    expect(news).toMatchObject([{ code: 206, scan_id: 'b' }])
  })

  test('takes up every kind of news, also in parts', () => {
    link.open()
    ready()
    const result = { type: 'result', scan_id: 'a', scan: scanOf() }
    const text = JSON.stringify(result)
    channel().say({ type: 'progress', scan_id: 'a', progress: { type: 'progress', stage: 'intake' } })
    channel().say({ type: 'part', part_id: 'p', seq: 0, last: false, data: text.slice(0, 10) })
    channel().say({ type: 'part', part_id: 'p', seq: 1, last: true, data: text.slice(10) })
    expect(news.map(({ type }) => type)).toEqual(['progress', 'result'])
    expect(news[1]).toEqual(result)
  })

  test('survives what is no message', () => {
    link.open()
    for (const nonsense of [null, 1, 'x', [], {}, { type: 7 }, { type: 'levitate' }]) channel().say(nonsense)
    ready()
    expect(link.state.is).toBe('up')
  })

  test('says that there is no host, fails its askers at once, and tries again later and later', async () => {
    wanted = true
    const asked = link.ask({ type: 'status' })
    channel().break('Specified native messaging host not found.')
    await expect(asked).rejects.toBeInstanceOf(LinkLost)
    expect(link.state).toEqual({ is: 'no_host', reason: 'Specified native messaging host not found.' })
    const waits = [1, 2, 3].map(() => {
      timers.set.splice(0, timers.set.length, ...timers.set.filter(({ ms }) => ms < 30_000))
      const waited = timers.fireNext()
      channel().break('not found')
      return waited
    })
    expect(waits).toEqual([500, 1000, 2000])
    expect(channels).toHaveLength(4)
  })

  test('does not open a broken port again when nobody waits', () => {
    link.open()
    ready()
    channel().break()
    expect(timers.set.filter(({ ms }) => ms < 120_000)).toEqual([])
    expect(calls).toEqual(['ready', 'lost'])
  })

  test('after a break takes requests to the next port, but not those already sent', async () => {
    wanted = true
    link.open()
    ready()
    const sent = link.ask({ type: 'get', scan_id: 'a' })
    const old = channel()
    old.break('crashed')
    await expect(sent).rejects.toBeInstanceOf(LinkLost)
    const late = link.ask({ type: 'get', scan_id: 'b' })
    timers.fireNext()
    expect(channels).toHaveLength(2)
    ready()
    expect(channel().sent[1]).toMatchObject({ type: 'get', scan_id: 'b' })
    // What the dead port still says must not speak for the new one.
    old.say({ ...UP, daemon: 'absent' })
    expect(link.state.is).toBe('up')
    channel().say({ type: 'scan_state', request: 'r2', scan_id: 'b', state: 'done' })
    await late
  })

  test('a person who asks does not wait for the back-off', () => {
    wanted = true
    link.open()
    channel().break()
    link.open()
    expect(channels).toHaveLength(1)
    link.open(true)
    expect(channels).toHaveLength(2)
    // The timer that was running must not open a third.
    expect(timers.set.filter(({ ms }) => ms === 500)).toEqual([])
  })

  test('gives up on a host that never speaks', async () => {
    const asked = link.ask({ type: 'status' })
    const silent = timers.set.find(({ ms }) => ms === 30_000)
    silent?.run()
    await expect(asked).rejects.toBeInstanceOf(LinkLost)
    expect(channel().closed).toBe(true)
    expect(link.state.is).toBe('no_host')
  })

  test('asks for an update when the versions differ, and fails its askers', async () => {
    const asked = link.ask({ type: 'status' })
    channel().say({ ...UP, protocol: 2 })
    channel().say({
      type: 'error',
      code: 108,
      name: 'protocol_mismatch',
      request: 'hello',
      message: 'update the extension',
    })
    await expect(asked).rejects.toBeInstanceOf(HostError)
    expect(link.state).toEqual({ is: 'mismatch', reason: 'update the extension' })
  })

  test('gives the port back when nobody asked for anything for a while', async () => {
    link.open()
    ready()
    const idle = timers.set.find(({ ms }) => ms === 120_000)
    idle?.run()
    expect(channel().closed).toBe(true)
    const again = link.ask({ type: 'status' })
    expect(channels).toHaveLength(2)
    ready()
    channel().say({
      type: 'status',
      request: 'r1',
      daemon: 'up',
      host_version: '0.1.0',
      scans: 0,
      uploads: 0,
    })
    await again
  })

  test('keeps the port while a scan is followed', async () => {
    wanted = true
    link.open()
    ready()
    timers.set.find(({ ms }) => ms === 120_000)?.run()
    await settled()
    expect(channel().closed).toBe(false)
  })
})
