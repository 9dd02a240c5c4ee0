// Package pki makes the keys and certificates of one local cluster: an authority,
// certificates signed by it, and the key that signs service-account tokens.
//
// Everything is ECDSA P-256, made anew for each cluster and valid for a year; the
// authority's key never leaves the process.
package pki
