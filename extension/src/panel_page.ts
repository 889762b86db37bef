/** What the popup and the options page share: their line to the background, and whether the host is well. */

import { type Channel, connectToBackground, requestAllSites } from './browser'
import type { HostState } from './native/link'
import { el } from './page/dom'
import type { FromPopup, Overview } from './protocol'
import { HOST_WORDS, say } from './words'

/** Keeps a channel open while the page is, also when the background's worker is replaced. */
export function follow(
  onOverview: (overview: Overview) => void,
  greet: FromPopup | null,
): (message: FromPopup) => void {
  let channel: Channel
  const open = () => {
    channel = connectToBackground('panel')
    channel.onMessage((message) => onOverview(message as Overview))
    // The worker may die under an open popup; whoever connects wakes a new one.
    channel.onClose(() => setTimeout(open, 500))
    if (greet) channel.send(greet)
  }
  open()
  return (message) => channel.send(message)
}

/** How the program is, and what to do about it. */
export function hostLines(host: HostState): string[] {
  switch (host.is) {
    case 'up':
      return [say('host_up', host.daemonVersion ?? host.hostVersion)]
    case 'no_host':
      return [say('host_no_host'), say('explain_no_host')]
    case 'absent':
      return [say('host_absent'), say('explain_daemon_absent'), ...(host.reason ? [host.reason] : [])]
    case 'mismatch':
      return [say('host_mismatch'), say('explain_mismatch'), host.reason]
    default:
      return [say(HOST_WORDS[host.is])]
  }
}

/** Draws the state of the program into an element. */
export function drawHost(into: HTMLElement, host: HostState, retry: () => void): void {
  const [state = '', ...more] = hostLines(host)
  const well = host.is === 'up' || host.is === 'starting' || host.is === 'unknown'
  const again = el(document, 'button', { type: 'button' }, say('popup_retry'))
  again.addEventListener('click', retry)
  into.dataset.host = host.is
  into.replaceChildren(
    el(document, 'strong', {}, state),
    ...more.map((line) => el(document, 'p', {}, line)),
    ...(well ? [] : [again]),
  )
}

/** Draws the request for access to all sites, or nothing where it is granted. */
export function drawAccess(into: HTMLElement, granted: boolean): void {
  into.hidden = granted
  if (granted) return
  const grant = el(document, 'button', { type: 'button', class: 'main' }, say('access_grant'))
  grant.addEventListener('click', () => void requestAllSites())
  into.replaceChildren(el(document, 'p', {}, say('access_missing')), grant)
}
