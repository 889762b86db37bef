/** Words for people, all from _locales. Tables map what the wire says to message keys, so none can be missing. */

import type catalogue from '../public/_locales/en/messages.json'
import { message } from './browser'
import type { HostState } from './native/link'
import type { Corner } from './settings'
import type { Unavailable, Unreachable, View } from './views'
import type * as wire from './wire/native'

export type Key = keyof typeof catalogue

export const say = (key: Key, ...substitutions: string[]): string => message(key, substitutions)

export const BADGE_WORDS: Record<wire.Label, Key> = {
  ai_generated: 'badge_ai_generated',
  ai_edited: 'badge_ai_edited',
  camera_original: 'badge_camera_original',
  no_signs: 'badge_no_signs',
  inconclusive: 'badge_inconclusive',
  unreadable: 'badge_unreadable',
}

const BADGE_OF_STATE: Record<Exclude<View['state'], 'done'>, Key> = {
  waiting: 'badge_waiting',
  checking: 'badge_checking',
  no_daemon: 'badge_no_daemon',
  unreachable: 'badge_unreachable',
  looking: 'badge_looking',
}

const HEADLINE_OF_STATE: Record<Exclude<View['state'], 'done'>, Key> = {
  waiting: 'headline_waiting',
  checking: 'headline_checking',
  no_daemon: 'headline_no_daemon',
  unreachable: 'headline_unreachable',
  looking: 'headline_looking',
}

export const STRENGTH_WORDS: Record<wire.Strength, Key> = {
  verified: 'panel_strength_verified',
  very_strong: 'panel_strength_very_strong',
  strong: 'panel_strength_strong',
  moderate: 'panel_strength_moderate',
  limited: 'panel_strength_limited',
  none: 'panel_strength_none_other',
}

export const SUPPORTS_WORDS: Record<wire.Supports, Key> = {
  ai: 'supports_ai',
  edited: 'supports_edited',
  camera: 'supports_camera',
  neither: 'supports_neither',
}

const STAGE_WORDS: Record<Extract<View, { state: 'checking' }>['stage'], Key> = {
  queued: 'explain_checking_queued',
  intake: 'explain_checking_intake',
  media: 'explain_checking_media',
  examine: 'explain_checking_examine',
  verdict: 'explain_checking_verdict',
  upload: 'explain_checking_upload',
}

const UNAVAILABLE_WORDS: Record<Unavailable, Key> = {
  no_host: 'explain_no_host',
  daemon_absent: 'explain_daemon_absent',
  mismatch: 'explain_mismatch',
  token: 'explain_token',
  extension_gone: 'explain_extension_gone',
}

const UNREACHABLE_WORDS: Record<Unreachable, Key> = {
  stream: 'explain_stream',
  pieces: 'explain_pieces',
  protected: 'explain_protected',
  local_file: 'explain_local_file',
  address: 'explain_address',
  status: 'explain_status',
  network: 'explain_network',
  too_large: 'explain_too_large',
  no_permission: 'explain_no_permission',
  gone: 'explain_gone',
  failed: 'explain_failed',
  altered: 'explain_altered',
  black: 'explain_black',
  withheld: 'explain_withheld',
}

export const HOST_WORDS: Record<Exclude<HostState['is'], 'up'>, Key> = {
  unknown: 'host_unknown',
  starting: 'host_starting',
  absent: 'host_absent',
  no_host: 'host_no_host',
  mismatch: 'host_mismatch',
}

export const CORNER_WORDS: Record<Corner, Key> = {
  'top-left': 'corner_top_left',
  'top-right': 'corner_top_right',
  'bottom-left': 'corner_bottom_left',
  'bottom-right': 'corner_bottom_right',
}

const EXAMINER_WORDS: Record<string, Key> = {
  content_credentials: 'examiner_content_credentials',
  labels: 'examiner_labels',
  visible_marks: 'examiner_visible_marks',
  watermarks: 'examiner_watermarks',
  detector: 'examiner_detector',
  imported_detectors: 'examiner_imported_detectors',
}

/** The details that mean something to a reader, in the order in which they are told. */
export const DETAIL_WORDS: readonly (readonly [string, Key])[] = [
  ['signer', 'detail_signer'],
  ['signer_trusted', 'detail_signer_trusted'],
  ['trust_anchor', 'detail_trust_anchor'],
  ['signed_at', 'detail_signed_at'],
  ['integrity', 'detail_integrity'],
  ['tampered', 'detail_tampered'],
  ['generator', 'detail_generator'],
  ['software_agent', 'detail_software_agent'],
  ['claim_generator', 'detail_claim_generator'],
  ['source_type', 'detail_source_type'],
  ['action', 'detail_action'],
  ['claimed_by', 'detail_claimed_by'],
  ['certainty', 'detail_certainty'],
  ['place', 'detail_place'],
  ['key', 'detail_key'],
  ['value', 'detail_value'],
  ['producer', 'detail_producer'],
  ['propagator', 'detail_propagator'],
  ['models', 'detail_models'],
  ['text', 'detail_text'],
  ['scheme', 'detail_scheme'],
  ['score', 'detail_score'],
]

/** An examiner's name for people; a newer daemon's unknown one as it is. */
export const examinerName = (name: string): string => {
  const key = EXAMINER_WORDS[name]
  return key ? say(key) : name.replaceAll('_', ' ')
}

/**
 * The few words on the badge. A claim that nobody verified is called a label, and weak evidence "perhaps": the
 * badge is read alone more often than the panel.
 */
export function badgeKey(view: View): Key {
  if (view.state !== 'done') return BADGE_OF_STATE[view.state]
  const { label, basis, strength } = view.scan.verdict
  if (label === 'ai_generated' || label === 'ai_edited') {
    const edited = label === 'ai_edited'
    if (strength === 'limited') return edited ? 'badge_perhaps_edited' : 'badge_perhaps_ai'
    if (basis === 'declared') return edited ? 'badge_declared_edited' : 'badge_declared_ai'
  }
  return BADGE_WORDS[label]
}

/** What stands on the badge. Evidence that speaks against itself shows there already, not only in the panel. */
export function badgeWords(view: View): string {
  const words = say(badgeKey(view))
  return view.state === 'done' && contradicts(view.scan) ? say('badge_contradicted', words) : words
}

/** The whole sentence: the daemon's own where there is a verdict. */
export function headline(view: View): string {
  return view.state === 'done' ? view.scan.verdict.headline : say(HEADLINE_OF_STATE[view.state])
}

/** Why there is no verdict, and what to do; a verdict explains itself. */
export function explanation(view: View, automatic: boolean): string[] {
  switch (view.state) {
    case 'waiting':
      return [view.why ?? say(automatic ? 'explain_waiting_unloaded' : 'explain_waiting_manual')]
    case 'checking':
      return [say(STAGE_WORDS[view.stage])]
    case 'no_daemon':
      return [say(UNAVAILABLE_WORDS[view.why]), ...reason(view.detail)]
    case 'unreachable':
      if (view.why === 'status') return [say('explain_status', view.detail ?? '')]
      return [say(UNREACHABLE_WORDS[view.why]), ...reason(view.detail)]
    case 'looking':
      return [
        view.why === 'status' ? say('explain_network') : say(UNREACHABLE_WORDS[view.why]),
        say(view.runs > 0 ? 'explain_looking_on' : 'explain_looking'),
      ]
    case 'done':
      return []
  }
}

const reason = (detail: string | null): string[] => (detail ? [say('explain_detail', detail)] : [])

/**
 * Whether the evidence speaks against itself. A pasted or altered record alone is no contradiction, but beside a
 * verdict it is one.
 */
export function contradicts(scan: wire.Scan): boolean {
  const evidence = scan.evidence ?? []
  const ai = evidence.some((each) => each.supports === 'ai' || each.supports === 'edited')
  const camera = evidence.some((each) => each.supports === 'camera')
  const tampered = evidence.some((each) => each.details?.tampered === true)
  return (ai && camera) || (tampered && (ai || camera))
}
