package intake

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"rolecall/lifecycle"
)

// What a secret looks like. Source: Standard Webhooks, "Signature scheme".
const (
	secretPrefix   = "whsec_"
	shortestSecret = 24 // bytes, decoded
	longestSecret  = 64
	mostSecrets    = 2 // the one in use, and its successor while it is being rotated
)

const dots = "••••"

// A Secret is a key that messages are signed with. Only ParseSecrets makes one
// that signs; the zero Secret signs nothing and verifies nothing. It prints as
// dots, whatever prints it.
type Secret struct{ key keyFunc }

// A keyFunc returns the key. It is a function so that even a printed struct
// with a Secret in an unexported field, where no method is called, shows an
// address: fmt looks behind a pointer when a verb does not fit it.
type keyFunc func() []byte

// Format prints dots for every verb.
func (Secret) Format(s fmt.State, _ rune) {
	_, _ = io.WriteString(s, dots) // fmt has nowhere to report it either
}

// String returns dots.
func (Secret) String() string { return dots }

// GoString returns dots.
func (Secret) GoString() string { return dots }

// LogValue returns dots.
func (Secret) LogValue() slog.Value { return slog.StringValue(dots) }

// MarshalText returns dots, and no error.
func (Secret) MarshalText() ([]byte, error) { return []byte(dots), nil }

// ParseSecrets returns the one or two secrets in s, separated by spaces, lines
// or commas. Each is whsec_ and 24 to 64 bytes in base64. Anything else is a
// Refusal that says which of them is wrong, and never what it was.
func ParseSecrets(s string) ([]Secret, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	if len(words) == 0 || len(words) > mostSecrets {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "there are %d webhook secrets; give one, or two while one replaces the other", len(words))
	}
	secrets := make([]Secret, 0, len(words))
	for i, w := range words {
		key, err := decodeSecret(w)
		if err != nil {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "webhook secret %d of %d %s", i+1, len(words), lifecycle.ReasonOf(err))
		}
		if i > 0 && bytes.Equal(key, secrets[0].key()) {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "the two webhook secrets are the same one")
		}
		secrets = append(secrets, Secret{key: func() []byte { return key }})
	}
	return secrets, nil
}

func decodeSecret(word string) ([]byte, error) {
	text, ok := strings.CutPrefix(word, secretPrefix)
	if !ok {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "does not begin with whsec_; make one with: echo whsec_$(openssl rand -base64 32)")
	}
	key, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "is not base64 after whsec_")
	}
	if len(key) < shortestSecret || len(key) > longestSecret {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "has %d bytes; it needs %d to %d", len(key), shortestSecret, longestSecret)
	}
	return key, nil
}
