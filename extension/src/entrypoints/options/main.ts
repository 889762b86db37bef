/** The options page. Every change is stored at once and said so. */

import { localStore, message, onLocalChange } from '../../browser'
import { el } from '../../page/dom'
import { drawAccess, drawHost, follow } from '../../panel_page'
import { CORNERS, changeSettings, readSettings, type Settings, withSite } from '../../settings'
import { CORNER_WORDS, say } from '../../words'

const main = document.getElementById('main') ?? document.body
const access = el(document, 'section', { hidden: '' })
const program = el(document, 'div', {})
const choices = el(document, 'div', {})
const saved = el(document, 'p', { id: 'saved', role: 'status', class: 'soft' })

async function change(settings: Partial<Settings>): Promise<void> {
  const stored = await changeSettings(localStore, settings)
  const read = await readSettings(localStore)
  // Storage fails softly: what is there afterwards tells whether it held.
  saved.textContent = say(
    JSON.stringify(stored) === JSON.stringify(read) ? 'options_saved' : 'options_not_saved',
  )
}

function radio(name: string, text: string, checked: boolean, onChoose: () => void): HTMLElement {
  const input = el(document, 'input', { type: 'radio', name })
  input.checked = checked
  input.addEventListener('change', onChoose)
  return el(document, 'label', {}, input, text)
}

function checkbox(text: string, checked: boolean, onChange: (checked: boolean) => void): HTMLElement {
  const input = el(document, 'input', { type: 'checkbox' })
  input.checked = checked
  input.addEventListener('change', () => onChange(input.checked))
  return el(document, 'label', {}, input, text)
}

function draw(settings: Settings): void {
  const focused = document.activeElement instanceof HTMLInputElement ? document.activeElement : null
  const place = focused ? [...choices.querySelectorAll('input')].indexOf(focused) : -1
  const { automatic, pictures, corner, sitesOff } = settings
  choices.replaceChildren(
    el(
      document,
      'fieldset',
      {},
      el(document, 'legend', {}, say('options_when')),
      radio('when', say('options_automatic'), automatic, () => void change({ automatic: true })),
      radio('when', say('options_manual'), !automatic, () => void change({ automatic: false })),
      el(document, 'p', { class: 'soft' }, say('options_when_note')),
      checkbox(say('options_pictures'), pictures, (on) => void change({ pictures: on })),
      el(document, 'p', { class: 'soft' }, say('options_pictures_note')),
    ),
    el(
      document,
      'fieldset',
      {},
      el(document, 'legend', {}, say('options_corner')),
      el(
        document,
        'div',
        { class: 'corners' },
        ...CORNERS.map((each) =>
          radio('corner', say(CORNER_WORDS[each]), each === corner, () => void change({ corner: each })),
        ),
      ),
    ),
    el(
      document,
      'section',
      {},
      el(document, 'h2', {}, say('options_sites')),
      sitesOff.length === 0
        ? el(document, 'p', { class: 'soft' }, say('options_no_sites'))
        : el(document, 'ul', {}, ...sitesOff.map((site) => siteRow(settings, site))),
    ),
  )
  if (place >= 0) choices.querySelectorAll('input')[place]?.focus()
}

function siteRow(settings: Settings, site: string): HTMLElement {
  const on = el(
    document,
    'button',
    { type: 'button', 'aria-label': say('options_site_on_name', site) },
    say('options_site_on'),
  )
  on.addEventListener('click', () => void change(withSite(settings, site, true)))
  return el(document, 'li', {}, site, on)
}

document.documentElement.lang = message('@@ui_locale').replace('_', '-')
document.title = say('options_title')
const accessState = el(document, 'p', { class: 'soft' })
main.append(
  el(document, 'h1', {}, say('options_title')),
  access,
  el(document, 'section', {}, el(document, 'h2', {}, say('popup_program')), program),
  choices,
  el(document, 'section', {}, el(document, 'h2', {}, say('options_access')), accessState),
  saved,
)
const redraw = () => void readSettings(localStore).then(draw)
redraw()
onLocalChange(redraw)
const send = follow(({ host, allSites }) => {
  drawAccess(access, allSites)
  accessState.textContent = say(allSites ? 'options_access_ok' : 'access_missing')
  drawHost(program, host, () => send({ type: 'retry' }))
}, null)
