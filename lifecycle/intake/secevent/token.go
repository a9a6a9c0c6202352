package secevent

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const skew = 5 * time.Minute // how far a sender's clock may be ahead of ours

// claims are what a token says, once it is known to be of its issuer and for us.
type claims struct {
	issuer Issuer
	jti    string
	txn    string // of a transaction, of which a token may be sent more than once; "" for none
	at     time.Time
	sub    any // sub_id; nil where the events have their own
	events map[string]any
}

// readToken returns what the token says. Every error but errKeysLate is a
// *refusal; what is known of the issuer by its signature is returned with it.
func (r *Receiver) readToken(ctx context.Context, token string) (claims, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms())
	if unexpected, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return claims{}, refuse(errRequest, "the algorithm %q is none of RS256, PS256, ES256, EdDSA", intake.Clip(string(unexpected.Got), 20))
	}
	if err != nil {
		return claims{}, refuse(errRequest, "it is no signed token in compact form")
	}
	head := jws.Signatures[0].Protected
	if typ, _ := head.ExtraHeaders[jose.HeaderType].(string); !isSET(typ) {
		return claims{}, refuse(errRequest, "its typ must be secevent+jwt")
	}
	is, err := r.issuerOf(jws.UnsafePayloadWithoutVerification())
	if err != nil {
		return claims{}, err
	}
	key, err := r.rings[is.Name].find(ctx, head.KeyID, head.Algorithm)
	switch {
	case errors.Is(err, errNoKey):
		return claims{}, refuse(errKey, "%v", errNoKey)
	case err != nil:
		return claims{}, err
	}
	payload, err := jws.Verify(key.Key)
	if err != nil {
		return claims{}, refuse(errAuthentication, "the signature is not of the issuer's key")
	}
	return readClaims(is, payload, r.config.Now())
}

// isSET reports whether a typ is that of a security event token. Source: RFC
// 8417, 2.3; RFC 7515, 4.1.9, on the application/ that may be left out.
func isSET(typ string) bool {
	return strings.TrimPrefix(strings.ToLower(typ), "application/") == "secevent+jwt"
}

// issuerOf returns whom the token says it is of, which is believed only when its
// signature is of their key.
func (r *Receiver) issuerOf(payload []byte) (Issuer, error) {
	m, err := objectOf(payload)
	if err != nil {
		return Issuer{}, err
	}
	iss, _ := m["iss"].(string)
	for _, is := range r.config.Issuers {
		if is.Name == iss && iss != "" {
			return is, nil
		}
	}
	return Issuer{}, refuse(errIssuer, "the issuer is none that may send here")
}

func objectOf(payload []byte) (map[string]any, error) {
	value, err := intake.ReadJSON(payload)
	if err != nil {
		return nil, refuse(errRequest, "the claims are no JSON: %s", lifecycle.ReasonOf(err))
	}
	m, ok := value.(map[string]any)
	if !ok {
		return nil, refuse(errRequest, "the claims are no object")
	}
	return m, nil
}

// readClaims returns the claims of a token of the issuer, or a *refusal.
func readClaims(is Issuer, payload []byte, now time.Time) (claims, error) {
	c := claims{issuer: is}
	m, err := objectOf(payload)
	if err != nil {
		return c, err
	}
	if !isFor(m["aud"], is.Audience) {
		return c, refuse(errAudience, "its aud does not have the audience that is agreed")
	}
	for _, name := range []string{"exp", "sub"} {
		if _, is := m[name]; is {
			return c, refuse(errRequest, "%s must not be in the token of an event: it would pass for another kind of token", name)
		}
	}
	var ok bool
	if c.jti, ok = m["jti"].(string); !ok || c.jti == "" || len(c.jti) > longestName {
		return c, refuse(errRequest, "jti must name the token, with at most %d characters", longestName)
	}
	if c.txn, ok = m["txn"].(string); m["txn"] != nil && !ok || len(c.txn) > longestName {
		return c, refuse(errRequest, "txn must be text of at most %d characters", longestName)
	}
	if c.at, err = timesOf(m, now); err != nil {
		return c, err
	}
	if c.events, ok = m["events"].(map[string]any); !ok || len(c.events) == 0 {
		return c, refuse(errRequest, "events must have an event")
	}
	c.sub = m["sub_id"]
	return c, nil
}

func isFor(aud any, audience string) bool {
	switch a := aud.(type) {
	case string:
		return a == audience
	case []any:
		for _, one := range a {
			if one == audience {
				return true
			}
		}
	}
	return false
}

// timesOf returns when the events were: toe, or else when the token was made.
func timesOf(m map[string]any, now time.Time) (time.Time, error) {
	at, ok := momentOf(m["iat"])
	if !ok {
		return time.Time{}, refuse(errRequest, "iat must say when the token was made, in seconds")
	}
	if at.After(now.Add(skew)) {
		return time.Time{}, refuse(errRequest, "iat is in the future; check the sender's clock")
	}
	if m["toe"] == nil {
		return at, nil
	}
	if at, ok = momentOf(m["toe"]); !ok {
		return time.Time{}, refuse(errRequest, "toe must say when the events were, in seconds")
	}
	return at, nil
}

// milliseconds is a number that no time in seconds reaches before the year 5138,
// and that every time in milliseconds since 1973 has passed.
const milliseconds = 1e11

// momentOf returns a time in seconds since 1970, or, as some senders have it, in
// milliseconds.
func momentOf(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	moment, err := n.Float64()
	if err != nil || moment <= 0 || moment > 1e15 {
		return time.Time{}, false
	}
	if moment < milliseconds {
		moment *= 1000
	}
	return time.UnixMilli(int64(math.Round(moment))).UTC(), true
}
