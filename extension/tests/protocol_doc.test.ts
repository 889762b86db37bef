/** Replays the conversations of docs/native-messaging.md through the extension's end of the line. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { HostError, NativeLink, type Question, type ScanNews } from '../src/native/link'
import { PartJoiner } from '../src/native/parts'
import type { AnyNative, Part } from '../src/wire/native'
import { FakeChannel, FakeTimers, settled } from './fakes'

interface Block {
  to: 'host' | 'browser'
  message: Record<string, unknown> & { type: string; request?: string }
}

const page = readFileSync(new URL('../../docs/native-messaging.md', import.meta.url), 'utf8')

function sections(): { title: string; blocks: Block[] }[] {
  return page.split(/^## /m).map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    blocks: [...section.matchAll(/^```json to-(host|browser)\n([\s\S]*?)^```/gm)].map(([, to, text]) => ({
      to: to as Block['to'],
      message: JSON.parse(text as string) as Block['message'],
    })),
  }))
}

const conversations = sections().filter(({ title }) => title.startsWith('Conversation'))

/** Plays one conversation: what the page says the host says is said, what it says we say must be said. */
async function replay(blocks: Block[]) {
  const channel = new FakeChannel()
  const timers = new FakeTimers()
  const news: ScanNews[] = []
  const outcomes = new Map<string, Promise<unknown>>()
  const renamed = new Map<string, string>()
  const link = new NativeLink({
    connect: () => channel,
    version: '0.1.0',
    random: () => 0,
    setTimer: timers.setTimer,
    clearTimer: timers.clearTimer,
    onState: () => undefined,
    onNews: (each) => news.push(each),
    onReady: () => undefined,
    onLost: () => undefined,
    wanted: () => true,
  })
  link.open()
  let spoken = 0
  for (const { to, message } of blocks) {
    const { request, ...rest } = message
    if (to === 'browser') {
      const own = request === undefined ? undefined : (renamed.get(request) ?? request)
      channel.say(own === undefined ? rest : { ...rest, request: own })
      await settled()
      continue
    }
    if (message.type !== 'hello') {
      const outcome = link.ask(rest as unknown as Question)
      outcome.catch(() => undefined)
      outcomes.set(request as string, outcome)
    }
    const said = channel.sent[spoken]
    spoken += 1
    expect(said, `${message.type} is sent`).toBeDefined()
    const { request: own, ...saidRest } = said as Block['message']
    renamed.set(request as string, own as string)
    if (message.type === 'hello')
      expect(saidRest).toMatchObject({ type: 'hello', protocol: message.protocol })
    else expect(saidRest).toEqual(rest)
  }
  return { link, news, outcomes, channel }
}

describe('docs/native-messaging.md', () => {
  test('has its conversations', () => {
    expect(conversations.length).toBeGreaterThanOrEqual(4)
  })

  const spoken = conversations.filter(({ title }) => !title.includes('another version'))
  test.each(spoken)('$title', async ({ blocks }) => {
    const { news, outcomes, link } = await replay(blocks)
    expect(link.state.is).toBe('up')
    const ofHost = blocks.filter(({ to }) => to === 'browser').map(({ message }) => message)
    const unasked = ofHost.filter(({ type }) => ['progress', 'evidence', 'result'].includes(type))
    expect(news).toEqual(unasked)
    for (const [request, outcome] of outcomes) {
      const answer = ofHost.find((message) => message.request === request)
      if (answer?.type === 'error') {
        const error: unknown = await outcome.catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(HostError)
        expect(error).toMatchObject({ code: answer.code, message: answer.message })
      } else {
        const { request: _, ...said } = answer as Block['message']
        expect(await outcome).toMatchObject(said)
      }
    }
  })

  // This extension never asks before it is welcome and never speaks another protocol, so of this conversation
  // it can only be shown the answer that concerns it.
  test('Conversation: an extension of another version', () => {
    const blocks = conversations.find(({ title }) => title.includes('another version'))?.blocks ?? []
    const refusal = blocks.find(({ message }) => message.code === 108)?.message
    const channel = new FakeChannel()
    const states: string[] = []
    const link = new NativeLink({
      connect: () => channel,
      version: '9.0.0',
      random: () => 0,
      setTimer: () => null,
      clearTimer: () => undefined,
      onState: ({ is }) => states.push(is),
      onNews: () => undefined,
      onReady: () => undefined,
      onLost: () => undefined,
      wanted: () => false,
    })
    link.open()
    channel.say(blocks[0]?.message)
    channel.say({ ...refusal, request: 'hello' })
    expect(states).toEqual(['up', 'mismatch'])
  })

  test('parts join to the message that they were cut from', () => {
    const joiner = new PartJoiner()
    const parts = sections()
      .flatMap(({ blocks }) => blocks)
      .map(({ message }) => message as unknown as AnyNative)
      .filter((message): message is Part => message.type === 'part')
    expect(parts.length).toBeGreaterThan(1)
    const joined = parts.map((part) => joiner.add(part))
    expect(joined.slice(0, -1).every((each) => each === null)).toBe(true)
    expect(joined.at(-1)).toMatchObject({ type: 'result' })
  })

  test.each([
    ['a part that is missing', [0, 2]],
    ['a part that comes twice', [0, 0, 0, 2]],
    ['a stray later part', [1]],
  ])('drops a message with %s', (_, order) => {
    const joiner = new PartJoiner()
    const part = (seq: number): Part => ({
      type: 'part',
      part_id: 'p',
      seq,
      last: seq === 2,
      data: ['{', '"a":1', '}'][seq] ?? '',
    })
    expect(order.map((seq) => joiner.add(part(seq))).filter((whole) => whole !== null)).toEqual([])
    expect([0, 1, 2].map((seq) => joiner.add(part(seq))).at(-1)).toEqual({ a: 1 })
  })
})
