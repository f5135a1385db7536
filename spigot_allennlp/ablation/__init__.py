"""One experiment, many variants of it, many seeds: trained, resumed, compared."""
