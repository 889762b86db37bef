import { defineContentScript } from 'wxt/utils/define-content-script'
import { connectToBackground, extensionAlive, onNudge, pageFetch, shadowRootOf } from '../browser'
import { Page } from '../page/page'

export default defineContentScript({
  matches: ['<all_urls>'],
  allFrames: true,
  matchAboutBlank: true,
  matchOriginAsFallback: true,
  runAt: 'document_idle',
  main() {
    // Pages that are not HTML (feeds, images, SVG) have nowhere to put a badge.
    if (!(document.documentElement instanceof HTMLElement)) return
    new Page({
      window,
      connect: () => connectToBackground('page'),
      alive: extensionAlive,
      shadowRootOf,
      pageFetch,
      onNudge,
      // crypto.randomUUID is missing on pages without TLS.
      newId: () => crypto.getRandomValues(new Uint32Array(4)).join('-'),
    }).start()
  },
})
