/**
 * The background: service worker in Chromium, event page in Firefox. Everything is put together here and handed
 * what it needs. All listeners are registered before the first await: a browser that wakes a dead worker for an
 * event delivers it only to those.
 */

import { defineBackground } from 'wxt/utils/define-background'
import { Pages } from '../background/pages'
import { Panels } from '../background/panels'
import * as shim from '../browser'
import { HOST, NativeLink } from '../native/link'
import { Looks } from '../scanning/looks'
import { Memory } from '../scanning/memory'
import { ScanQueue } from '../scanning/queue'
import { fetchBytes } from '../scanning/reach'
import { Scans } from '../scanning/scans'
import { DEFAULTS, readSettings, type Settings } from '../settings'

// Scans share two or so processor cores with the page that plays the video.
const SCANS_AT_ONCE = 3

export default defineBackground(() => {
  let settings: Settings = DEFAULTS

  const link = new NativeLink({
    connect: () => shim.connectNative(HOST),
    version: shim.extensionVersion(),
    random: Math.random,
    setTimer: (run, ms) => setTimeout(run, ms),
    clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    onState: (state) => {
      scans.hostChanged(state)
      panels.changed(null)
    },
    onNews: (news) => scans.news(news),
    onReady: () => scans.linkReady(),
    onLost: () => scans.linkLost(),
    wanted: () => scans.wanted(),
  })
  const scans: Scans = new Scans({
    link,
    memory: new Memory(shim.sessionStore, Date.now),
    queue: new ScanQueue(SCANS_AT_ONCE),
    newId: () => crypto.randomUUID(),
    fetchBytes: (url, pageUrl) => fetchBytes(url, pageUrl, { fetcher: fetch, mayAccess: shim.mayAccess }),
    setTimer: (run, ms) => setTimeout(run, ms),
    looks: new Looks({
      link,
      newId: () => crypto.randomUUID(),
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      allowed: () => settings.pictures,
    }),
  })
  const pages = new Pages(scans, settings, (tabId) => panels.changed(tabId))
  const panels: Panels = new Panels({
    pages,
    hostState: () => link.state,
    settings: () => settings,
    hasAllSites: shim.hasAllSites,
    nudgeTab: shim.nudgeTab,
    retry: () => link.open(true),
  })

  // Pages that connect before the settings are read wait for them: a site that is off must not be scanned.
  const ready = readSettings(shim.localStore).then((read) => {
    settings = read
    pages.applySettings(read)
  })

  shim.onConnect((name, channel, sender) => {
    if (name === 'panel') panels.connect(channel)
    if (name === 'page') pages.connect(channel, sender, ready)
  })
  shim.onLocalChange(() => {
    void readSettings(shim.localStore).then((read) => {
      settings = read
      pages.applySettings(read)
      panels.changed(null)
    })
  })
  shim.onPermissionsChange(() => panels.changed(null))
  shim.onInstalled((reason) => {
    if (reason === 'install') {
      void shim.hasAllSites().then((granted) => (granted ? undefined : shim.openOptions()))
    }
  })
})
