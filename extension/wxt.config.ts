import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { defineConfig } from 'wxt'

interface ExtensionIds {
  chromium: { key: string; id: string }
  firefox: { id: string }
}

// The daemon's native-messaging manifests name the extension by these ids, so both sides read the one file.
const idsFile = new URL('../daemon/touchstone/system/extension_ids.toml', import.meta.url)
const ids = parse(readFileSync(idsFile, 'utf8')) as unknown as ExtensionIds

export default defineConfig({
  srcDir: 'src',
  publicDir: 'public',
  outDir: '.output',
  manifestVersion: 3,
  imports: false,
  manifest: ({ browser }) => ({
    name: '__MSG_extension_name__',
    description: '__MSG_extension_description__',
    default_locale: 'en',
    permissions: ['nativeMessaging', 'storage'],
    host_permissions: ['<all_urls>'],
    // The program keeps a history of what was checked: nothing of a private window may get there.
    incognito: 'not_allowed',
    icons: { 16: 'icon/16.png', 32: 'icon/32.png', 48: 'icon/48.png', 128: 'icon/128.png' },
    action: {
      default_title: '__MSG_extension_name__',
      default_icon: { 16: 'icon/16.png', 32: 'icon/32.png', 48: 'icon/48.png' },
    },
    ...(browser === 'firefox'
      ? {
          browser_specific_settings: {
            gecko: {
              id: ids.firefox.id,
              // 142 is the first Firefox, desktop and Android, that knows data_collection_permissions.
              strict_min_version: '142.0',
              data_collection_permissions: { required: ['none'] as const },
            },
          },
        }
      : { key: ids.chromium.key, minimum_chrome_version: '120' }),
  }),
  zip: {
    // Store reviewers build from this archive: it must hold the file of ids that lies beside extension/.
    sourcesRoot: '..',
    excludeSources: ['**'],
    includeSources: [
      'LICENSE',
      'daemon/touchstone/system/extension_ids.toml',
      'docs/{extension,native-messaging,store-review}.md',
      'extension/*.{json,ts}',
      'extension/.npmrc',
      'extension/{assets,public,schema,scripts,src,tests}/**',
    ],
  },
})
