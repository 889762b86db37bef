import { expect, test } from 'vitest'
import { changeSettings, DEFAULTS, readSettings, SETTINGS_KEY, settingsFrom, withSite } from '../src/settings'
import { FakeStore } from './fakes'

test.each([
  [null, DEFAULTS],
  ['nonsense', DEFAULTS],
  [{ automatic: 'yes', corner: 'middle', sitesOff: 'a.example' }, DEFAULTS],
  [{ automatic: false }, { ...DEFAULTS, automatic: false }],
  [
    { corner: 'bottom-right', older: 1 },
    { ...DEFAULTS, corner: 'bottom-right' },
  ],
  [{ sitesOff: ['a.example', 7] }, { ...DEFAULTS, sitesOff: ['a.example'] }],
])('reads %o', (stored, settings) => {
  expect(settingsFrom(stored)).toEqual(settings)
})

test('changes one thing and keeps the rest', async () => {
  const store = new FakeStore()
  await changeSettings(store, { corner: 'top-right' })
  await changeSettings(store, { automatic: false })
  expect(await readSettings(store)).toEqual({ ...DEFAULTS, corner: 'top-right', automatic: false })
  expect([...store.held.keys()]).toEqual([SETTINGS_KEY])
})

test('switches a site off once, and on again', () => {
  const off = withSite(withSite(DEFAULTS, 'b.example', false), 'a.example', false)
  expect(withSite(off, 'b.example', false).sitesOff).toEqual(['a.example', 'b.example'])
  expect(withSite(off, 'b.example', true).sitesOff).toEqual(['a.example'])
})
