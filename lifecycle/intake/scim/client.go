package scim

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// A Client is an identity provider that may provision.
type Client struct {
	Name        string              // of lower-case letters, digits, dots and dashes: the source is scim:NAME
	TokenSHA256 [][sha256.Size]byte // of the tokens in use: one, or two while one replaces the other
}

func (c Client) source() string { return "scim:" + c.Name }

func (c Client) named() bool {
	return c.Name != "" && strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// authenticate returns the source whose token the request carries. It compares
// with every token there is, so that it takes as long whoever asks.
func authenticate(r *http.Request, clients []Client) (string, error) {
	token, why := bearer(r.Header)
	sum := sha256.Sum256([]byte(token))
	source, matches := "", 0
	for _, c := range clients {
		if !c.named() {
			return "", fmt.Errorf("client %q: its name is not of lower-case letters, digits, dots and dashes", c.Name)
		}
		found := 0
		for _, t := range c.TokenSHA256 {
			found |= subtle.ConstantTimeCompare(sum[:], t[:])
		}
		if found == 1 {
			source = c.source()
		}
		matches += found
	}
	switch {
	case why != "":
		return "", unauthenticated(why)
	case matches == 0:
		return "", unauthenticated("the token is of no client")
	case matches > 1:
		return "", fmt.Errorf("%d clients have the same token: none of them can be told from the other", matches)
	}
	return source, nil
}

// bearer returns the one token that was sent, or why there is none. Source: RFC 6750, 2.1.
func bearer(h http.Header) (token, why string) {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return "", fmt.Sprintf("%d Authorization headers, not one", len(values))
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", "the Authorization header is no bearer token"
	}
	return token, ""
}
