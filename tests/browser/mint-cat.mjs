// Mints Common Access Tokens with node-cat, an implementation that is not ours, for the
// end-to-end tests. Reads a JSON array of {claims, kid, secret} from its input, the secret
// in hexadecimal, and writes a JSON array of tokens. Without a secret a token is signed
// with the test key below: node-cat mints no such tokens, so they are made with the two
// libraries that it is made of.
//
// Of {token, kid, secret} it writes the claims instead, if node-cat finds the token good.
import { Buffer } from 'node:buffer';
import { text } from 'node:stream/consumers';

import { CAT } from '@eyevinn/cat';
import { Encoder } from 'cbor-x';
import cose from 'cose-js';

// Its public half is in tests/harness/access_token.rs.
const testKey = { d: Buffer.from('6c1382765aec5358f117733d281c1c7bdc39884d04a45a1e6c67c858bc206c19', 'hex') };

const labels = { iss: 1, sub: 2, aud: 3, exp: 4, nbf: 5, iat: 6, cti: 7 };

function encoded(claims) {
  const entries = Object.entries(claims).map(([name, value]) => {
    if (!(name in labels)) throw new Error(`no label for ${name}`);
    return [labels[name], name === 'cti' ? Buffer.from(value, 'hex') : value];
  });
  return new Encoder({ mapsAsObjects: false, useRecords: false }).encode(new Map(entries));
}

async function sealed({ claims, kid, secret }) {
  if (secret) return nodeCat(kid, secret).generateFromJson(claims, { type: 'mac', alg: 'HS256', kid });
  const token = await cose.sign.create({ p: { alg: 'ES256' }, u: { kid } }, encoded(claims), { key: testKey });
  return token.toString('base64url');
}

async function opened({ token, kid, secret }) {
  const { cat, error } = await nodeCat(kid, secret).validate(token, 'mac', { issuer: 'shop', audience: ['cdn'] });
  if (error) throw error;
  return cat.claims;
}

function nodeCat(kid, secret) {
  return new CAT({ keys: { [kid]: Buffer.from(secret, 'hex') }, expectCwtTag: true });
}

const asked = JSON.parse(await text(process.stdin));
const answers = asked.map((one) => (one.token ? opened(one) : sealed(one)));
console.log(JSON.stringify(await Promise.all(answers)));
