/** The popup: the videos of the tab with their verdicts, the switch for the site, and how the program is. */

import { activeTab, localStore, message, openOptions } from '../../browser'
import { el } from '../../page/dom'
import { drawGlyph } from '../../page/glyphs'
import { drawAccess, drawHost, follow } from '../../panel_page'
import type { FromPopup, Overview, VideoRow } from '../../protocol'
import { changeSettings, readSettings, withSite } from '../../settings'
import { badgeWords, headline, say } from '../../words'

const main = document.getElementById('main') ?? document.body
const access = el(document, 'section', { hidden: '' })
const videos = el(document, 'section', { 'aria-live': 'polite' })
const site = el(document, 'section', {})
const program = el(document, 'div', {})
let send: (message: FromPopup) => void = () => undefined
let drawn = ''

function draw(overview: Overview): void {
  const now = JSON.stringify(overview)
  if (now === drawn) return
  drawn = now
  drawAccess(access, overview.allSites)
  drawVideos(overview)
  drawSite(overview)
  drawHost(program, overview.host, () => send({ type: 'retry' }))
}

function drawVideos({ videos: rows, siteOn }: Overview): void {
  const list = rows.map((row, at) => rowOf(row, at))
  videos.replaceChildren(
    el(document, 'h2', {}, say('popup_videos')),
    siteOn
      ? list.length > 0
        ? el(document, 'ul', {}, ...list)
        : el(document, 'p', { class: 'soft' }, say('popup_no_videos'))
      : el(document, 'p', { class: 'soft' }, say('popup_site_off')),
  )
}

function rowOf(row: VideoRow, at: number): HTMLElement {
  const { view, frameId, key } = row
  const name = row.name ?? say('popup_unnamed', String(at + 1))
  const show = button(say('popup_show'), name, () => send({ type: 'reveal_row', frameId, key }))
  const check = button(say(view.state === 'done' ? 'popup_again' : 'popup_check'), name, () =>
    send({ type: 'check_row', frameId, key }),
  )
  const label = view.state === 'done' ? view.scan.verdict.label : ''
  return el(
    document,
    'li',
    { 'data-state': view.state, 'data-label': label },
    el(document, 'span', { class: 'sign' }, drawGlyph(document, view)),
    el(
      document,
      'div',
      {},
      el(document, 'strong', {}, badgeWords(view)),
      el(document, 'div', {}, headline(view)),
      el(document, 'div', { class: 'soft' }, name),
    ),
    el(document, 'div', { class: 'act' }, show, view.state === 'checking' ? null : check),
  )
}

function drawSite({ site: host, siteOn }: Overview): void {
  if (host === null) {
    site.replaceChildren(el(document, 'p', { class: 'soft' }, say('popup_no_site')))
    return
  }
  const box = el(document, 'input', { type: 'checkbox', role: 'switch' })
  box.checked = siteOn
  box.addEventListener('change', () => {
    void readSettings(localStore).then((settings) =>
      changeSettings(localStore, withSite(settings, host, box.checked)),
    )
  })
  site.replaceChildren(el(document, 'label', {}, box, say('popup_site', host)))
}

function button(text: string, about: string, onClick: () => void): HTMLButtonElement {
  const made = el(document, 'button', { type: 'button', 'aria-label': `${text}: ${about}` }, text)
  made.addEventListener('click', onClick)
  return made
}

const settingsButton = el(document, 'button', { type: 'button' }, say('popup_settings'))
settingsButton.addEventListener('click', () => void openOptions().then(() => window.close()))
document.documentElement.lang = message('@@ui_locale').replace('_', '-')
main.append(
  el(
    document,
    'header',
    {},
    el(document, 'img', { src: '/icon/48.png', alt: '' }),
    el(document, 'h1', {}, say('extension_name')),
  ),
  access,
  videos,
  site,
  el(
    document,
    'footer',
    {},
    el(document, 'div', {}, el(document, 'h2', {}, say('popup_program')), program),
    settingsButton,
  ),
)

void activeTab().then((tab) => {
  send = follow(draw, tab ? { type: 'watch_tab', tabId: tab.id, url: tab.url } : null)
})
