// Mints Common Access Tokens with node-cat, an implementation that is not ours, for
// the core's tests. Test keys. In an empty directory:
//
//   npm install @eyevinn/cat@0.16.4
//   cp <here>/make-vectors.mjs . && node make-vectors.mjs > <core>/src/cat/tests/node-cat.json
import { createRequire } from 'node:module';

const { CAT } = createRequire(import.meta.url)('@eyevinn/cat');

const now = 1893499200; // 2030-01-01T12:00:00Z
const hour = 3600;

const secret = '403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388';
const otherSecret = 'a'.repeat(64);

const vectors = [];
const request = { now, method: 'GET', scheme: 'https', host: 'cdn.example.com', path: '/vod/alice/film.m3u8?q=1', address: '192.0.2.7' };

function add(name, token, expect, asked = {}) {
  vectors.push({ name, token, ...asked, expect });
}

async function mac(claims, { kid = 'shared', key = secret, alg = 'HS256', tagged = true } = {}) {
  const cat = new CAT({ keys: { [kid]: Buffer.from(key, 'hex') }, expectCwtTag: tagged });
  return cat.generateFromJson({ ...claims }, { type: 'mac', alg, kid });
}

const good = { iss: 'shop', sub: 'alice', aud: ['cdn'], exp: now + hour, nbf: now - hour, iat: now - hour, cti: '0b71' };
const ok = { issuer: 'shop', subject: 'alice', id: '0b71', expires: now + hour };

add('every registered claim', await mac(good), ok);
// Without the CWT tag node-cat writes the claims as a text of hexadecimal digits,
// which is no CWT (RFC 8392, section 7.1).
add('without the CWT tag', await mac(good, { tagged: false }), 'Malformed');
add('an unknown key id', await mac(good, { kid: 'unknown' }), 'NotVouchedFor');
add('the wrong secret', await mac(good, { key: otherSecret }), 'NotVouchedFor');
add('a MAC cut to 64 bits', await mac(good, { alg: 'HS256/64' }), 'Malformed');
add('another hash', await mac(good, { alg: 'HS384' }), 'Malformed');
add('another issuer', await mac({ ...good, iss: 'thief' }), 'Issuer');
add('another audience', await mac({ ...good, aud: 'other' }), 'Audience');
add('the last second', await mac(good), ok, { now: now + hour - 1 });
add('expired', await mac(good), 'Expired', { now: now + hour });
add('the first second', await mac(good), ok, { now: now - hour });
add('not yet valid', await mac(good), 'NotYetValid', { now: now - hour - 1 });

const of = (claims) => mac({ ...good, ...claims });
const catu = (parts) => of({ catu: parts });
const every = {
  scheme: { 'exact-match': 'https' },
  host: { 'suffix-match': '.example.com' },
  path: { 'prefix-match': '/vod/alice/' },
  'parent-path': { 'exact-match': '/vod/alice' },
  filename: { 'contains-match': 'film' },
  stem: { 'exact-match': 'film' },
  extension: { 'exact-match': '.m3u8' }
};
add('every part of the URI', await catu(every), ok);
add('another path', await catu(every), 'Uri', { path: '/vod/bob/film.m3u8' });
add('out of the path', await catu({ path: every.path }), 'Uri', { path: '/vod/alice/../bob/film.m3u8' });
add('another extension', await catu(every), 'Uri', { path: '/vod/alice/film.mpd' });
add('another scheme', await catu(every), 'Uri', { scheme: 'http' });
add('another host', await catu(every), 'Uri', { host: 'example.com' });
add('the query', await catu({ query: { 'exact-match': 'q=1' } }), ok);
add('another query', await catu({ query: { 'exact-match': 'q=1' } }), 'Uri', { path: '/vod/alice/film.m3u8?q=2' });
add('a regular expression', await catu({ path: { 'regex-match': ['.*', ''] } }), 'Unsupported(312)');

add('an allowed method', await of({ catm: ['GET', 'HEAD'] }), ok);
add('another method', await of({ catm: ['GET', 'HEAD'] }), 'Method', { method: 'POST' });

const catnip = ['192.0.2.7', '198.51.100.0/24', '2001:db8::/32', 64496];
add('an allowed address', await of({ catnip }), ok);
add('an allowed IPv4 network', await of({ catnip }), ok, { address: '198.51.100.255' });
add('an allowed IPv6 network', await of({ catnip }), ok, { address: '2001:db8::1' });
add('another address', await of({ catnip }), 'Address', { address: '192.0.2.8' });
add('another network', await of({ catnip }), 'Address', { address: '2001:db9::1' });
add('only a number of an autonomous system', await of({ catnip: [64496] }), 'Address');

const header = { 'x-device': { 'prefix-match': 'tv-' } };
add('an allowed header', await of({ cath: header }), ok, { headers: { 'x-device': 'tv-1' } });
add('another header', await of({ cath: header }), 'Header', { headers: { 'x-device': 'web' } });

const renewal = (catr) => of({ catr });
add('renewal in a header', await renewal({ type: 'header', 'header-name': 'cta-common-access-token', expadd: 120, deadline: 60 }), {
  ...ok, renewal: { kind: 'Header', adds: 120, deadline: 60, name: 'cta-common-access-token' }
});
add('renewal in a cookie', await renewal({ type: 'cookie', 'cookie-name': 'cat', 'cookie-params': ['Path=/', 'Secure'], expadd: 300 }), {
  ...ok, renewal: { kind: 'Cookie', adds: 300, name: 'cat', parameters: ['Path=/', 'Secure'] }
});
add('renewal by redirect', await renewal({ type: 'redirect', expadd: 300, code: 307 }), {
  ...ok, renewal: { kind: 'Redirect', adds: 300, status: 307 }
});
add('automatic renewal', await renewal({ type: 'automatic', expadd: 300 }), { ...ok, renewal: { kind: 'Automatic', adds: 300 } });

add('replay permitted', await of({ catreplay: 0 }), ok);
add('replay prohibited', await of({ catreplay: 1 }), 'Unsupported(308)');
add('probability of rejection', await of({ catpor: [50, 'x'] }), 'Unsupported(309)');
add('another version', await of({ catv: 2 }), 'Unsupported(310)');
add('a country', await of({ catgeoiso3166: ['SE'] }), 'Unsupported(316)');
add('coordinates', await of({ catgeocoord: [[1, 2, 3]] }), 'Unsupported(317)');
add('a TLS key', await of({ cattpk: 'aabb' }), 'Unsupported(319)');
add('what to answer to a refusal', await of({ catif: { exp: [307, { Location: 'https://example.com/' }, 'shared'] } }), ok);

const keys = [{ kid: 'shared', hmac: secret }];
const demands = { issuers: ['shop'], audience: 'cdn' };
const made = JSON.stringify({ made_with: '@eyevinn/cat 0.16.4', keys, demands, request });
const lines = vectors.map((vector) => JSON.stringify(vector)).join(',\n');
console.log(`${made.slice(0, -1)}, "vectors": [\n${lines}\n]}`);
