"""Evidence from votes: how two models are interleaved, and what votes allow to conclude; arrays in, values out."""
