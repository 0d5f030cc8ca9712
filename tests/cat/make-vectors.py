"""Mints CBOR Web Tokens with python-cwt and cbor2, which are not ours, for the core's
tests. Test keys. In a virtual environment:

    pip install cwt==3.3.0 cbor2==5.9.0
    python make-vectors.py > <core>/src/cat/tests/python-cwt.json
"""

import base64
import hashlib
import json

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cwt import COSE, COSEKey

NOW = 1893499200  # 2030-01-01T12:00:00Z
HOUR = 3600

SECRETS = [bytes.fromhex("40" * 32), bytes.fromhex("41" * 32)]
KIDS = ["new", "old"]
REQUEST = {
    "now": NOW,
    "method": "GET",
    "scheme": "https",
    "host": "cdn.example.com:8443",
    "path": "/vod/alice/film.m3u8?q=1",
    "address": "192.0.2.7",
}


def ec_key(number):
    private = ec.derive_private_key(number, ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, public.decode()


PRIVATE, PUBLIC = ec_key(0x6C1382765AEC5358F117733D281C1C7BDC39884D04A45A1E6C67C858BC206C19)
OTHER, _ = ec_key(7)

ALG, CRIT, KID = 1, 2, 4
ES256, ES384, HS256, HS256_64, EDDSA, NONE = -7, -35, 5, 4, -8, 0
MAC0, SIGN1, CWT = 17, 18, 61

GOOD = {1: "shop", 2: "alice", 3: "cdn", 4: NOW + HOUR, 5: NOW - HOUR, 7: b"\x0b\x71"}
OK = {"issuer": "shop", "subject": "alice", "id": "0b71", "expires": NOW + HOUR}

vectors = []


def add(name, token, expect, **changed):
    if not isinstance(token, bytes):
        token = cbor2.dumps(token)
    text = base64.urlsafe_b64encode(token)
    text = text if changed.pop("padded", False) else text.rstrip(b"=")
    vectors.append({"name": name, "token": text.decode(), **changed, "expect": expect})


def sealed(claims=GOOD, *, key, alg, kid=None, protected=None, raw=None):
    """A COSE message by python-cwt, as a tagged array."""
    cose = COSE.new(alg_auto_inclusion=False, kid_auto_inclusion=False)
    headers = {ALG: alg, **(protected or {})}
    unprotected = {KID: kid} if kid else {}
    payload = raw if raw is not None else cbor2.dumps(claims)
    if CRIT in headers:
        return forged(headers, unprotected, payload, key, alg)
    encode = cose.encode_and_sign if alg in (ES256,) else cose.encode_and_mac
    return cbor2.loads(encode(payload, key, protected=headers, unprotected=unprotected))


def forged(headers, unprotected, payload, key, alg):
    """A message that python-cwt would not make; its keys sign it all the same."""
    headers = cbor2.dumps(headers)
    context, tag = ("Signature1", SIGN1) if alg == ES256 else ("MAC0", MAC0)
    signature = key.sign(cbor2.dumps([context, headers, b"", payload]))
    return cbor2.CBORTag(tag, [headers, unprotected, payload, signature])


def mac(claims=GOOD, *, n=0, **more):
    key = COSEKey.from_symmetric_key(SECRETS[n], alg="HS256")
    return sealed(claims, key=key, alg=HS256, **more)


def sign(claims=GOOD, *, pem=PRIVATE, **more):
    return sealed(claims, key=COSEKey.from_pem(pem, alg="ES256"), alg=ES256, **more)


def mac_with(secret, **more):
    return sealed(key=COSEKey.from_symmetric_key(secret, alg="HS256"), alg=HS256, **more)


def cwt(message):
    return cbor2.CBORTag(CWT, message)


def retagged(message, tag):
    return cbor2.CBORTag(tag, message.value)


def with_alg(message, alg):
    """The message, its header saying another algorithm."""
    _, unprotected, payload, signature = message.value
    protected = cbor2.dumps({} if alg is None else {ALG: alg})
    return cbor2.CBORTag(message.tag, [protected, unprotected, payload, signature])


def with_unsigned(message, unprotected):
    protected, _, payload, signature = message.value
    return cbor2.CBORTag(message.tag, [protected, unprotected, payload, signature])


for kind, make, kid, tag in [("HMAC", mac, b"new", MAC0), ("ES256", sign, b"ec", SIGN1)]:
    add(f"{kind}, no key id", make(), OK)
    add(f"{kind}, under the CWT tag", cwt(make()), OK)
    add(f"{kind}, without any tag", make().value, OK)
    add(f"{kind}, padded", make(), OK, padded=True)
    add(f"{kind}, key id", make(kid=kid), OK)
    add(f"{kind}, key id that is signed", make(protected={KID: kid}), OK)
    add(f"{kind}, key id twice", with_unsigned(make(protected={KID: kid}), {KID: kid}), "Malformed")
    add(f"{kind}, unknown key id", make(kid=b"unknown"), "NotVouchedFor")
    add(f"{kind}, key id of a key of another kind", make(kid=b"ec" if kid == b"new" else b"new"), "NotVouchedFor")
    add(f"{kind}, key id that is text", with_unsigned(make(), {KID: "new"}), "Malformed")
    add(f"{kind}, critical key id", make(protected={CRIT: [KID], KID: kid}), OK)
    add(f"{kind}, critical header that nobody knows", make(protected={CRIT: [99], 99: 1}), "Malformed")
    add(f"{kind}, critical header that is not there", make(protected={CRIT: [KID]}), "Malformed")
    add(f"{kind}, nothing critical", make(protected={CRIT: []}), "Malformed")
    add(f"{kind}, header that is not critical", make(protected={16: "CWT"}), OK)
    add(f"{kind}, unsigned header", with_unsigned(make(), {5: b"x"}), "Malformed")
    add(f"{kind}, no algorithm", with_alg(make(), None), "Malformed")
    add(f"{kind}, algorithm none", with_alg(make(), NONE), "Malformed")
    add(f"{kind}, algorithm EdDSA", with_alg(make(), EDDSA), "Malformed")
    add(f"{kind}, algorithm ES384", with_alg(make(), ES384), "Malformed")
    add(f"{kind}, algorithm HMAC 256/64", with_alg(make(), HS256_64), "Malformed")
    swapped = ES256 if tag == MAC0 else HS256
    add(f"{kind}, the other kind's algorithm", with_alg(make(), swapped), "Malformed")
    add(f"{kind}, the other kind's tag", retagged(make(), SIGN1 if tag == MAC0 else MAC0), "Malformed")
    other = retagged(with_alg(make(), swapped), SIGN1 if tag == MAC0 else MAC0)
    add(f"{kind}, the other kind's algorithm and tag", other, "NotVouchedFor")
    add(f"{kind}, COSE_Encrypt0", retagged(make(), 16), "Malformed")
    add(f"{kind}, CWT tag without a COSE tag", cwt(make().value), "Malformed")
    add(f"{kind}, CWT tag twice", cwt(cwt(make())), "Malformed")
    add(f"{kind}, empty signature", cbor2.CBORTag(tag, make().value[:3] + [b""]), "NotVouchedFor")
    add(f"{kind}, signature of zeros", cbor2.CBORTag(tag, make().value[:3] + [bytes(64)]), "NotVouchedFor")
    add(f"{kind}, detached claims", cbor2.CBORTag(tag, [*make().value[:2], None, make().value[3]]), "Malformed")
    add(f"{kind}, something after it", cbor2.dumps(make()) + b"\0", "Malformed")
    add(f"{kind}, no claims", make(raw=b""), "Malformed")
    add(f"{kind}, claims that are no map", make([1]), "Malformed")
    add(f"{kind}, claim twice", make(raw=b"\xa2\x02\x61a\x02\x61b"), "Malformed")
    add(f"{kind}, claims of indefinite length", make(raw=b"\xbf\x02\x61a\xff"), "Malformed")
    add(f"{kind}, something after the claims", make(raw=cbor2.dumps(GOOD) + b"\0"), "Malformed")

add("the older of two keys, no key id", mac(n=1), OK)
add("the older of two keys, its key id", mac(n=1, kid=b"old"), OK)
add("the older of two keys, the newer's key id", mac(n=1, kid=b"new"), "NotVouchedFor")
add("another EC key", sign(pem=OTHER), "NotVouchedFor")
shared, private = COSEKey.from_symmetric_key(SECRETS[0], alg="HS256"), COSEKey.from_pem(PRIVATE, alg="ES256")
for unsigned in [{}, {KID: b"new"}, {KID: b"ec"}]:
    for alg, key in [(ES256, shared), (HS256, private)]:
        message = forged({ALG: alg}, unsigned, cbor2.dumps(GOOD), key, alg)
        add(f"algorithm {alg} by a key of the other kind, {len(unsigned)} key ids", message, "NotVouchedFor")
point = ec.derive_private_key(
    0x6C1382765AEC5358F117733D281C1C7BDC39884D04A45A1E6C67C858BC206C19, ec.SECP256R1()
).public_key()
raw_point = point.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
add("HMAC with the public key's PEM as secret", mac_with(PUBLIC.encode()), "NotVouchedFor")
add("the same with its key id", mac_with(PUBLIC.encode(), kid=b"ec"), "NotVouchedFor")
add("HMAC with the public point as secret", mac_with(raw_point, kid=b"ec"), "NotVouchedFor")


def of(**claims):
    return mac({**GOOD, **{int(label[1:]): value for label, value in claims.items()}})


def without(label):
    return mac({key: value for key, value in GOOD.items() if key != label})


add("no issuer", without(1), "Issuer")
add("no audience", without(3), "Audience")
add("several audiences", of(_3=["other", "cdn"]), OK)
add("no expiry", without(4), {"issuer": "shop", "subject": "alice", "id": "0b71"})
add("no subject", without(2), {"issuer": "shop", "id": "0b71", "expires": NOW + HOUR})
add("expiry as a float", of(_4=NOW + 0.5), {**OK, "expires": NOW + 0.5})
add("expiry that is not a number", of(_4=float("nan")), "Malformed")
add("expiry that is a text", of(_4="tomorrow"), "Malformed")
add("expiry before the epoch", of(_4=-1), "Expired")
add("issue date that is a text", of(_6="now"), "Malformed")
add("subject that is a number", of(_2=1), "Malformed")
add("id that is a text", of(_7="0b71"), "Malformed")

HASH = {-1: hashlib.sha256(b"film.m3u8").digest()}
LONG_HASH = {-2: hashlib.new("sha512_256", b"film.m3u8").digest()}
add("port", of(_312={2: {0: "8443"}}), OK)
add("the scheme's own port", of(_312={2: {0: "443"}}), OK, host="cdn.example.com")
add("another port", of(_312={2: {0: "443"}}), "Uri")
add("host in capitals", of(_312={1: {0: "cdn.example.com"}}), OK, host="CDN.example.com:8443")
add("host that is an address", of(_312={1: {0: "2001:db8::1"}, 2: {0: "443"}}), OK, host="[2001:db8::1]")
add("SHA-256", of(_312={6: HASH}), OK)
add("SHA-256 of another file", of(_312={6: HASH}), "Uri", path="/vod/alice/trailer.m3u8")
add("SHA-512/256", of(_312={6: LONG_HASH}), "Unsupported(312)")
add("hash that is a text", of(_312={6: {-1: "00"}}), "Malformed")
add("two ways at once", of(_312={3: {1: "/vod/", 2: ".m3u8"}}), OK)
add("one of two ways", of(_312={3: {1: "/vod/", 2: ".mpd"}}), "Uri")
add("unknown way", of(_312={3: {9: "x"}}), "Unsupported(312)")
add("regular expression", of(_312={3: {4: ["^/vod"]}}), "Unsupported(312)")
add("unknown part", of(_312={9: {0: "x"}}), "Unsupported(312)")
add("part that is a text", of(_312={3: "/vod/"}), "Malformed")
add("a file without extension", of(_312={7: {0: "film"}, 8: {0: ""}}), OK, path="/film")
add("a directory", of(_312={5: {0: "/vod"}, 6: {0: ""}}), OK, path="/vod/")
add("two dots in a file name", of(_312={7: {0: "a.tar"}, 8: {0: ".gz"}}), OK, path="/a.tar.gz")
for trick in ["/vod/alice/../bob/a", "/vod/alice/%2e%2E/bob/a", "/vod/alice/.%2e/bob/a", "/vod/alice/x%2f..%2f../bob",
              "/vod/alice/..", "/vod/alice/./a", "/vod/alice/..;x/bob/a", "/vod/alice/..%5cbob", "/vod/alice/a#b"]:
    add(f"a path that may be another: {trick}", of(_312={3: {1: "/vod/alice/"}}), "Uri", path=trick)
add("dots that are no segment", of(_312={3: {1: "/vod/alice/"}}), OK, path="/vod/alice/a..b/...")

tag = cbor2.CBORTag
add("IPv4 prefix of few bytes", of(_311=[tag(52, [8, b"\xc0"])]), OK)
add("IPv4 prefix between bytes", of(_311=[tag(52, [23, b"\xc0\x00\x03"])]), OK)
add("IPv4 prefix that ends before", of(_311=[tag(52, [24, b"\xc0\x00\x03"])]), "Address")
add("every IPv4 address", of(_311=[tag(52, [0, b""])]), OK)
add("every IPv6 address", of(_311=[tag(54, [0, b""])]), "Address")
add("IPv4 client, written as IPv6", of(_311=[tag(52, b"\xc0\0\2\7")]), OK, address="::ffff:192.0.2.7")
add("IPv6 address", of(_311=[tag(54, bytes(15) + b"\1")]), OK, address="::1")
add("client whose address is not known", of(_311=[tag(52, [0, b""])]), "Address", address=None)
add("prefix that is too long", of(_311=[tag(52, [33, b"\xc0\0\2\7"])]), "Malformed")
add("prefix of too many bytes", of(_311=[tag(52, [8, b"\xc0\0\2\7\0"])]), "Malformed")
add("address that is too short", of(_311=[tag(52, b"\xc0\0\2")]), "Malformed")
add("address of another kind", of(_311=[tag(53, b"\xc0\0\2\7")]), "Malformed")
add("no address at all", of(_311=[]), "Address")

add("method in small letters", of(_313=["get"]), "Method")
add("no method at all", of(_313=[]), "Method")
add("method that is a number", of(_313=[1]), "Malformed")
add("protocol", of(_314=[b"h3", b"h2"]), OK, alpn="h2")
add("another protocol", of(_314=[b"h3"]), "Protocol", alpn="h2")
add("protocol that is not known", of(_314=[b"h2"]), "Protocol")
add("header name in capitals", of(_315={"X-Device": {0: "tv"}}), OK, headers={"x-device": "tv"})
add("header that is missing", of(_315={"x-device": {1: ""}}), "Header")

for label in [8, 45, 282, 309, 316, 317, 318, 319, 321, 324, 325, 999, -5, -65536]:
    add(f"claim {label}", mac({**GOOD, label: 0}), f"Unsupported({label})")
add("data for refusals", of(_320="x"), OK)
add("private claims", mac({**GOOD, "tier": {"deep": [1, 2]}, -65537: 1}), OK)
add("critical claims", mac({**GOOD, 45: ["tier"], "tier": 1}), "Unsupported(45)")
add("replay detected", of(_308=2), "Unsupported(308)")
add("the version", of(_310=1), OK)

RENEWAL = {0: 1, 1: 300, 3: "cat"}
add("renewal without a type", of(_323={1: 300}), "Malformed")
add("renewal for no time", of(_323={0: 1, 1: 0}), "Malformed")
add("renewal of an unknown type", of(_323={0: 4, 1: 300}), "Malformed")
add("renewal with a cookie that cannot be sent", of(_323={**RENEWAL, 3: "a=b"}), "Malformed")
add("renewal with a line break", of(_323={**RENEWAL, 5: ["Path=/\r\nX: y"]}), "Malformed")
add("renewal with a status that is no redirect", of(_323={0: 3, 1: 300, 7: 200}), "Malformed")
renewal = {"kind": "Cookie", "adds": 300, "name": "cat"}
add("renewal by cookie", of(_323=RENEWAL), {**OK, "renewal": renewal})
add("renewal with one parameter", of(_323={**RENEWAL, 5: "Secure"}), {**OK, "renewal": {**renewal, "parameters": ["Secure"]}})

keys = [
    {"kid": "ec", "es256": PUBLIC},
    *({"kid": kid, "hmac": secret.hex()} for kid, secret in zip(KIDS, SECRETS)),
]
demands = {"issuers": ["other", "shop"], "audience": "cdn"}
made = {"made_with": "python-cwt 3.3.0", "keys": keys, "demands": demands, "request": REQUEST}
print(json.dumps(made)[:-1] + ', "vectors": [')
print(",\n".join(json.dumps(vector) for vector in vectors))
print("]}")
