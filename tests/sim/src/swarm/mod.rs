//! Small fleets in trouble.
