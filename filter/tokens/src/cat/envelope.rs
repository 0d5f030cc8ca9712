//! The signed envelope: COSE_Mac0 or COSE_Sign1 (RFC 9052, sections 4.2 and 6.2),
//! with or without its tag, with or without the CWT tag before that (RFC 8392,
//! section 6).

use super::cbor::{self, Entries, Label, MalformedCbor, find};

const TAG_CWT: u64 = 61;
const TAG_MAC0: u64 = 17;
const TAG_SIGN1: u64 = 18;

/// Labels of header parameters (RFC 9052, section 3.1).
const HEADER_ALG: Label<'_> = Label::Int(1);
const HEADER_CRIT: Label<'_> = Label::Int(2);
const HEADER_KID: Label<'_> = Label::Int(4);

/// How a token is signed (RFC 9053, sections 2.1 and 3.1). It is the key that has an
/// algorithm; a token only may not contradict it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// ECDSA with SHA-256, over P-256.
    Es256,
    /// HMAC 256/256.
    Hs256,
}

impl Algorithm {
    /// Its number in COSE.
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Hs256 => 5,
        }
    }

    const fn tag(self) -> u64 {
        match self {
            Self::Es256 => TAG_SIGN1,
            Self::Hs256 => TAG_MAC0,
        }
    }

    const fn context(self) -> &'static str {
        match self {
            Self::Es256 => "Signature1",
            Self::Hs256 => "MAC0",
        }
    }

    fn of_number(number: i64) -> Option<Self> {
        [Self::Es256, Self::Hs256]
            .into_iter()
            .find(|algorithm| algorithm.number() == number)
    }
}

/// An envelope of good form, whose signature nobody has looked at yet.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<&'a [u8]>,
    protected: &'a [u8],
    pub(super) claims: &'a [u8],
    pub(super) signature: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Takes a token apart.
    pub(super) fn read(token: &'a [u8]) -> Result<Self, MalformedCbor> {
        let (tag, message) = untagged(token)?;
        let [protected, unprotected, claims, signature] = cbor::elements(message)?[..] else {
            return Err(MalformedCbor);
        };
        let protected = cbor::bytes(protected)?;
        let headers = cbor::entries(protected)?;
        refuse_unknown_critical(&headers)?;

        let number = cbor::integer(find(&headers, HEADER_ALG).ok_or(MalformedCbor)?)?;
        let algorithm = Algorithm::of_number(number).ok_or(MalformedCbor)?;
        if tag.is_some_and(|tag| tag != algorithm.tag()) {
            return Err(MalformedCbor);
        }
        Ok(Self {
            algorithm,
            kid: kid(&headers, unprotected)?,
            protected,
            claims: cbor::bytes(claims)?,
            signature: cbor::bytes(signature)?,
        })
    }

    /// The bytes that are signed.
    pub(super) fn message(&self) -> Vec<u8> {
        message(self.algorithm, self.protected, self.claims)
    }
}

/// `MAC_structure` or `Sig_structure` with nothing external in it.
fn message(algorithm: Algorithm, protected: &[u8], claims: &[u8]) -> Vec<u8> {
    written(|encoder| {
        encoder
            .array(4)?
            .str(algorithm.context())?
            .bytes(protected)?
            .bytes(&[])?
            .bytes(claims)?;
        Ok(())
    })
}

/// A COSE_Mac0 under both tags around `claims`. The key id goes where the other
/// implementations look for it, into the unprotected header.
pub(super) fn seal(kid: &[u8], claims: &[u8], mac: impl FnOnce(&[u8]) -> [u8; 32]) -> Vec<u8> {
    let algorithm = Algorithm::Hs256;
    let protected = written(|encoder| {
        encoder.map(1)?.u8(1)?.i64(algorithm.number())?;
        Ok(())
    });
    let mac = mac(&message(algorithm, &protected, claims));
    written(|encoder| {
        encoder.tag(minicbor::data::Tag::new(TAG_CWT))?;
        encoder.tag(minicbor::data::Tag::new(TAG_MAC0))?;
        encoder.array(4)?.bytes(&protected)?;
        encoder.map(1)?.u8(4)?.bytes(kid)?;
        encoder.bytes(claims)?.bytes(&mac)?;
        Ok(())
    })
}

type Encoder<'a> = minicbor::Encoder<&'a mut Vec<u8>>;
type EncodeError = minicbor::encode::Error<core::convert::Infallible>;

/// What `write` writes; a `Vec` takes everything.
pub(super) fn written(write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match write(&mut minicbor::Encoder::new(&mut bytes)) {
        Ok(()) | Err(_) => bytes,
    }
}

/// The message behind the tags, and which COSE tag it had. A CWT tag is only allowed
/// before a COSE tag.
fn untagged(token: &[u8]) -> Result<(Option<u64>, &[u8]), MalformedCbor> {
    match cbor::tagged(token)? {
        None => Ok((None, token)),
        Some((TAG_CWT, inner)) => {
            let (tag, message) = cbor::tagged(inner)?.ok_or(MalformedCbor)?;
            Ok((Some(tag), message))
        }
        Some((tag, message)) => Ok((Some(tag), message)),
    }
}

/// What `crit` lists must be here and be one of those that are understood.
fn refuse_unknown_critical(headers: &Entries<'_>) -> Result<(), MalformedCbor> {
    let Some(critical) = find(headers, HEADER_CRIT) else {
        return Ok(());
    };
    let critical = cbor::elements(critical)?;
    let understood = [HEADER_ALG, HEADER_KID];
    let is_good = |item: &&[u8]| {
        cbor::integer(item).is_ok_and(|label| {
            let label = Label::Int(label);
            understood.contains(&label) && find(headers, label).is_some()
        })
    };
    if critical.is_empty() || !critical.iter().all(is_good) {
        return Err(MalformedCbor);
    }
    Ok(())
}

/// The key id, from either header. Nothing else may stand in the unprotected one:
/// nobody signed it.
fn kid<'a>(
    protected: &Entries<'a>,
    unprotected: &'a [u8],
) -> Result<Option<&'a [u8]>, MalformedCbor> {
    let kid = match (
        find(protected, HEADER_KID),
        &cbor::entries(unprotected)?[..],
    ) {
        (kid, []) => kid,
        (None, [(label, kid)]) if *label == HEADER_KID => Some(*kid),
        _ => return Err(MalformedCbor),
    };
    kid.map(cbor::bytes).transpose()
}
