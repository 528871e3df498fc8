"""The Merkle tree of RFC 9162: hashes, the edge that grows, proofs and their checks; bytes in, bytes out."""
