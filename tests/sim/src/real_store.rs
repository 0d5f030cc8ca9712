//! What a real store needs for what a crowd told the model of it.
