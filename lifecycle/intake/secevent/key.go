package secevent

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const (
	mostKeys    = 64
	shortestRSA = 2048 // bits. Source: RFC 7518, 3.3
)

// algorithms are those that a token may be signed with. None and the symmetric
// ones are not among them: with those, whoever knows a public key could sign.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
}

// readKeys returns the keys of a JSON Web Key Set that a token can be checked
// with, and what is wrong with the others. Those that are there for something
// else are neither.
func readKeys(text []byte) ([]jose.JSONWebKey, []error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, []error{errors.New("is no JSON Web Key Set, which has its keys under keys")}
	}
	if len(set.Keys) > mostKeys {
		return nil, []error{fmt.Errorf("has more than %d keys", mostKeys)}
	}
	var keys []jose.JSONWebKey
	var wrong []error
	for i, raw := range set.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); err != nil {
			wrong = append(wrong, fmt.Errorf("key %d cannot be read: %w", i, err))
			continue
		}
		if k.Use != "" && k.Use != "sig" {
			continue
		}
		if err := checkKey(k); err != nil {
			wrong = append(wrong, fmt.Errorf("key %d %w", i, err))
			continue
		}
		keys = append(keys, k)
	}
	return keys, wrong
}

func checkKey(k jose.JSONWebKey) error {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < shortestRSA {
			return fmt.Errorf("has %d bits; it needs %d", key.N.BitLen(), shortestRSA)
		}
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			return errors.New("is on another curve than P-256, which ES256 is on")
		}
	case ed25519.PublicKey:
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return errors.New("is a private key: whoever reads it can sign. Replace it, and give the public one")
	case []byte:
		return errors.New("is a symmetric key: whoever can check with it can sign")
	default:
		return errors.New("is of a kind that no token may be signed with")
	}
	return nil
}

// pick returns the keys that a token with the kid and the algorithm may have been
// signed with. A token that names no key may be of the only one that there is.
func pick(keys []jose.JSONWebKey, kid, alg string) (jose.JSONWebKey, bool) {
	var found []jose.JSONWebKey
	for _, k := range keys {
		if (k.KeyID == kid || kid == "") && (k.Algorithm == "" || k.Algorithm == alg) {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		return jose.JSONWebKey{}, false
	}
	return found[0], true
}
