//! Labels of claims that more than one file looks for, from IANA's registry of CWT claims.

pub(super) const EXP: i64 = 4;

pub(super) const CATNIP: i64 = 311;

pub(super) const CATU: i64 = 312;

pub(super) const CATM: i64 = 313;

pub(super) const CATALPN: i64 = 314;

pub(super) const CATH: i64 = 315;
