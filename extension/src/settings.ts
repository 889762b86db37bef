/** The user's settings: declared once, with their defaults, and read from storage with care. */

import type { Store } from './browser'

export const CORNERS = ['top-left', 'top-right', 'bottom-left', 'bottom-right'] as const
export type Corner = (typeof CORNERS)[number]

export interface Settings {
  /** Check visible videos without being asked. */
  automatic: boolean
  /** Look at the pictures of a playing video whose file cannot be had. */
  pictures: boolean
  /** Corner of the video that the badge sits in. */
  corner: Corner
  /** Host names of pages on which nothing is looked at. */
  sitesOff: string[]
}

export const DEFAULTS: Settings = { automatic: true, pictures: true, corner: 'top-left', sitesOff: [] }
export const SETTINGS_KEY = 'settings'

/** What was stored, with defaults for what is missing or of the wrong kind. */
export function settingsFrom(stored: unknown): Settings {
  const found = (typeof stored === 'object' && stored !== null ? stored : {}) as Partial<
    Record<keyof Settings, unknown>
  >
  return {
    automatic: typeof found.automatic === 'boolean' ? found.automatic : DEFAULTS.automatic,
    pictures: typeof found.pictures === 'boolean' ? found.pictures : DEFAULTS.pictures,
    corner: CORNERS.find((corner) => corner === found.corner) ?? DEFAULTS.corner,
    sitesOff: Array.isArray(found.sitesOff)
      ? found.sitesOff.filter((site): site is string => typeof site === 'string')
      : DEFAULTS.sitesOff,
  }
}

export async function readSettings(store: Store): Promise<Settings> {
  return settingsFrom(await store.get<unknown>(SETTINGS_KEY, null))
}

export async function changeSettings(store: Store, change: Partial<Settings>): Promise<Settings> {
  const settings = { ...(await readSettings(store)), ...change }
  await store.set(SETTINGS_KEY, settings)
  return settings
}

/** The settings with a site switched on or off. */
export function withSite(settings: Settings, site: string, on: boolean): Settings {
  const others = settings.sitesOff.filter((known) => known !== site)
  return { ...settings, sitesOff: on ? others : [...others, site].sort() }
}
