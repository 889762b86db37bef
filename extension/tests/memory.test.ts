import { expect, test } from 'vitest'
import { Memory } from '../src/scanning/memory'
import { ScanQueue } from '../src/scanning/queue'
import { FakeStore, scanOf, settled } from './fakes'

test('keeps the newest verdicts only', async () => {
  const store = new FakeStore()
  let now = 0
  const memory = new Memory(store, () => now)
  for (now = 0; now < 305; now++) await memory.keepVerdict(`v${now}`, scanOf())
  expect(await memory.verdict('v0')).toBeNull()
  expect(await memory.verdict('v4')).toBeNull()
  expect(await memory.verdict('v5')).not.toBeNull()
  expect(await memory.verdict('v304')).not.toBeNull()
})

test('makes room when the store is full', async () => {
  const store = new FakeStore()
  const memory = new Memory(store, () => 0)
  await memory.keepVerdict('old', scanOf())
  store.full = true
  await memory.keepVerdict('new', scanOf())
  expect(await memory.verdict('old')).toBeNull()
})

test('does not wait for ever for a scan under way', async () => {
  let now = 0
  const memory = new Memory(new FakeStore(), () => now)
  await memory.keepUnderway('v', 'scan1')
  expect(await memory.scanUnderway('v')).toBe('scan1')
  now = 16 * 60 * 1000
  expect(await memory.scanUnderway('v')).toBeNull()
})

test('the queue runs no more than it may, those in sight first, and forgets what is dropped', async () => {
  const queue = new ScanQueue(1)
  const ran: string[] = []
  const ends: (() => void)[] = []
  const run = (id: string) => () => {
    ran.push(id)
    return new Promise<void>((resolve) => ends.push(resolve))
  }
  queue.add('first', true, run('first'))
  queue.add('hidden', false, run('hidden'))
  queue.add('dropped', true, run('dropped'))
  queue.add('seen', true, run('seen'))
  queue.drop('dropped')
  for (let at = 0; at < 3; at++) {
    ends.shift()?.()
    await settled()
  }
  expect(ran).toEqual(['first', 'seen', 'hidden'])
  expect(queue.busy).toBe(false)
})
