import { expect, test } from 'vitest'
import { Backoff } from '../src/native/backoff'

const options = { firstMs: 500, capMs: 60_000 }

test('waits twice as long each time, up to the cap, and starts over after a success', () => {
  const backoff = new Backoff({ ...options, random: () => 1 })
  const waits = Array.from({ length: 10 }, () => backoff.next())
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
  backoff.reset()
  expect(backoff.next()).toBe(500)
})

test('leaves the upper half of each wait to chance, and never waits nothing', () => {
  const shortest = new Backoff({ ...options, random: () => 0 })
  expect([shortest.next(), shortest.next()]).toEqual([250, 500])
})

test('does not overflow however often it fails', () => {
  const backoff = new Backoff({ ...options, random: () => 0.5 })
  for (let at = 0; at < 2000; at++) backoff.next()
  expect(backoff.next()).toBe(45_000)
})
