/**
 * The only place that touches browser APIs: Chromium's and Firefox's differences end here.
 *
 * Storage never throws: a full or broken store costs a setting or a cached verdict, never the badge.
 */

import { type Browser, browser } from 'wxt/browser'

/** One end of a message channel, in the same shape for native hosts and for the extension's own parts. */
export interface Channel {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** `reason` is the browser's own text, where it gives one. */
  onClose(listener: (reason: string | undefined) => void): void
  close(): void
}

/** Who opened a channel to the background. Null fields belong to the extension's own pages. */
export interface Sender {
  tabId: number | null
  frameId: number
  url: string
  /** Address of the tab's top page, as far as the browser tells it. */
  tabUrl: string
}

function channelOf(port: Browser.runtime.Port): Channel {
  return {
    send: (message) => port.postMessage(message),
    onMessage: (listener) => port.onMessage.addListener((message: unknown) => listener(message)),
    onClose: (listener) =>
      port.onDisconnect.addListener((closed) => {
        // Chromium leaves the reason in lastError (reading it also silences a warning), Firefox on the port.
        const own = (closed as { error?: { message?: string } } | undefined)?.error
        listener(browser.runtime.lastError?.message ?? own?.message)
      }),
    close: () => port.disconnect(),
  }
}

export function connectNative(host: string): Channel {
  return channelOf(browser.runtime.connectNative(host))
}

/** Opens a channel to the background. Throws once the extension was updated or removed under this page. */
export function connectToBackground(name: string): Channel {
  return channelOf(browser.runtime.connect({ name }))
}

export function onConnect(listener: (name: string, channel: Channel, sender: Sender) => void): void {
  browser.runtime.onConnect.addListener((port) => {
    const from = port.sender
    listener(port.name, channelOf(port), {
      tabId: from?.tab?.id ?? null,
      frameId: from?.frameId ?? 0,
      url: from?.url ?? '',
      tabUrl: from?.tab?.url ?? from?.url ?? '',
    })
  })
}

/** Asks all frames of a tab to open their channels: they let them go while there is nothing to say. */
export async function nudgeTab(tabId: number): Promise<void> {
  try {
    await browser.tabs.sendMessage(tabId, NUDGE)
  } catch {
    // No frame of this tab has a content script.
  }
}

const NUDGE = 'say what you show'

/** In a page: the background asks to hear from it, or settings have changed. */
export function onNudge(listener: () => void): void {
  browser.runtime.onMessage.addListener((said: unknown) => {
    if (said === NUDGE) listener()
  })
  browser.storage.local.onChanged.addListener(() => listener())
}

/** False in a page whose extension was updated or removed: nothing can be asked any more. */
export function extensionAlive(): boolean {
  return browser.runtime?.id !== undefined
}

export const extensionVersion = (): string => browser.runtime.getManifest().version

export function onInstalled(listener: (reason: string) => void): void {
  browser.runtime.onInstalled.addListener((details) => listener(details.reason))
}

/** Key-value store of the extension. Both areas fail softly. */
export interface Store {
  get<T>(key: string, fallback: T): Promise<T>
  set(key: string, value: unknown): Promise<boolean>
  remove(keys: string | string[]): Promise<void>
  keys(): Promise<string[]>
}

function storeOf(area: () => Browser.storage.StorageArea): Store {
  const failed = (what: string, error: unknown) => console.warn(`Touchstone: storage ${what} failed`, error)
  return {
    async get<T>(key: string, fallback: T): Promise<T> {
      try {
        const found = await area().get(key)
        return key in found ? (found[key] as T) : fallback
      } catch (error) {
        failed('read', error)
        return fallback
      }
    },
    async set(key, value) {
      try {
        await area().set({ [key]: value })
        return true
      } catch (error) {
        failed('write', error)
        return false
      }
    },
    async remove(keys) {
      try {
        await area().remove(keys)
      } catch (error) {
        failed('removal', error)
      }
    },
    async keys() {
      try {
        return Object.keys(await area().get(null))
      } catch (error) {
        failed('listing', error)
        return []
      }
    },
  }
}

/** Survives the death of the service worker, not the end of the browser session; never on disk. */
export const sessionStore: Store = storeOf(() => browser.storage.session)
/** Survives everything: settings only. */
export const localStore: Store = storeOf(() => browser.storage.local)

export function onLocalChange(listener: (keys: string[]) => void): void {
  browser.storage.local.onChanged.addListener((changes) => listener(Object.keys(changes)))
}

const ALL_SITES = { origins: ['<all_urls>'] }

/** Firefox lets the user withhold or withdraw access to sites; Chromium users can limit it per site. */
export async function hasAllSites(): Promise<boolean> {
  try {
    return await browser.permissions.contains(ALL_SITES)
  } catch {
    // An older browser that cannot answer has granted what the manifest asks for.
    return true
  }
}

/** Whether the browser lets the extension fetch this address. */
export async function mayAccess(url: string): Promise<boolean> {
  try {
    return await browser.permissions.contains({ origins: [`${new URL(url).origin}/*`] })
  } catch {
    return true
  }
}

/** Must be called from a click. */
export const requestAllSites = (): Promise<boolean> => browser.permissions.request(ALL_SITES)

export function onPermissionsChange(listener: () => void): void {
  browser.permissions.onAdded.addListener(listener)
  browser.permissions.onRemoved.addListener(listener)
}

/** The text of a message in the user's language; the key itself where it is missing, so that gaps show. */
export function message(key: string, substitutions: string[] = []): string {
  const get = browser.i18n.getMessage as (name: string, substitutions?: string[]) => string
  return get(key, substitutions) || key
}

export const uiLanguage = (): string => browser.i18n.getUILanguage()

export async function activeTab(): Promise<{ id: number; url: string } | null> {
  const [tab] = await browser.tabs.query({ active: true, currentWindow: true })
  return tab?.id === undefined ? null : { id: tab.id, url: tab.url ?? '' }
}

export const openOptions = (): Promise<void> => browser.runtime.openOptionsPage()

interface ShadowOpener {
  openOrClosedShadowRoot?: ShadowRoot | null
}

/** The element's shadow root, closed ones included: both browsers let content scripts look inside. */
export function shadowRootOf(element: HTMLElement): ShadowRoot | null {
  if (element.shadowRoot) return element.shadowRoot
  if (!element.localName.includes('-')) return null
  if ('openOrClosedShadowRoot' in element) return (element as ShadowOpener).openOrClosedShadowRoot ?? null
  try {
    return browser.dom?.openOrClosedShadowRoot(element) ?? null
  } catch {
    // The element is of a kind that cannot have a shadow root.
    return null
  }
}

/** `fetch` with the page's own identity: Firefox hides it in `content`, Chromium's is the only one there is. */
export const pageFetch: typeof fetch = (input, init) => {
  const own = (globalThis as { content?: { fetch?: typeof fetch } }).content?.fetch
  return own ? own(input, init) : fetch(input, init)
}
