package intake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks v1.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

const (
	tolerance      = 5 * time.Minute // either way; source: Standard Webhooks, "Verifying webhook authenticity"
	longestID      = 256             // bytes
	mostSignatures = 16              // more than any rotation has
)

// Why a request is not believed. These are for the trail; the sender is told
// the same for all of them.
var (
	errNoID         = errors.New("webhook-id is missing, doubled, or not printable text")
	errNoTimestamp  = errors.New("webhook-timestamp is missing, doubled, or not whole seconds")
	errStale        = errors.New("webhook-timestamp is more than 5 minutes from now")
	errNoSignature  = errors.New("webhook-signature has no v1 signature")
	errBadSignature = errors.New("no v1 signature is of a secret in use")
)

// Sign returns the three headers that make body a signed message of secret,
// sent at the second at with the id. A sender in a shell does the same:
//
//	id=evt_1; at=$(date +%s)
//	key=$(printf %s "${SECRET#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \n')
//	sig=$(printf %s "$id.$at.$body" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64)
//	curl -H "webhook-id: $id" -H "webhook-timestamp: $at" -H "webhook-signature: v1,$sig" \
//	     -H 'content-type: application/cloudevents+json' --data-binary "$body" http://127.0.0.1:8080/v1/lifecycle
//
// The zero Secret makes no signature, so that what it "signs" is refused.
func Sign(secret Secret, id string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{headerID: {id}, headerTimestamp: {stamp}}
	if secret.key != nil {
		h.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac(secret, id, stamp, body)))
	}
	return h
}

func mac(secret Secret, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, secret.key())
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// claims are what a request says of itself, before any of it is believed.
type claims struct {
	id, stamp  string
	signatures [][]byte
}

// claimsOf returns the claims, or why they need not even be checked.
func claimsOf(h http.Header, now time.Time) (claims, error) {
	id, ok := only(h, headerID)
	if !ok || !printable(id) || len(id) > longestID {
		return claims{}, errNoID
	}
	stamp, ok := only(h, headerTimestamp)
	sent, err := strconv.ParseUint(stamp, 10, 42) // ends in the year 141,000, within what time.Time can subtract
	if !ok || err != nil {
		return claims{}, errNoTimestamp
	}
	if age := now.Sub(time.Unix(int64(sent), 0)); age > tolerance || age < -tolerance {
		return claims{}, errStale
	}
	c := claims{id: id, stamp: stamp, signatures: signatures(h)}
	if len(c.signatures) == 0 {
		return claims{}, errNoSignature
	}
	return c, nil
}

// signedBy reports whether one of the signatures is of one of the secrets. It
// takes as long for a wrong one as for a right one.
func (c claims) signedBy(secrets []Secret, body []byte) bool {
	found := false
	for _, s := range secrets {
		if s.key == nil {
			continue
		}
		want := mac(s, c.id, c.stamp, body)
		for _, have := range c.signatures {
			found = hmac.Equal(want, have) || found
		}
	}
	return found
}

// signatures returns the v1 signatures; those of other versions are for others.
func signatures(h http.Header) [][]byte {
	var list [][]byte
	for _, word := range strings.Fields(strings.Join(h.Values(headerSignature), " ")) {
		text, ok := strings.CutPrefix(word, "v1,")
		if !ok || len(list) == mostSignatures {
			continue
		}
		if sum, err := base64.StdEncoding.Strict().DecodeString(text); err == nil && len(sum) == sha256.Size {
			list = append(list, sum)
		}
	}
	return list
}

// only returns the header's value when it was sent exactly once: of two, a
// proxy might have checked the other one.
func only(h http.Header, name string) (string, bool) {
	if v := h.Values(name); len(v) == 1 {
		return v[0], true
	}
	return "", false
}

// printable reports whether s is ASCII that can be seen, and not empty.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
