"""From what a person typed to artists: keys, an index of arrays, the resolver, completion, phrases of several names."""
