package secevent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const longestName = 256 // characters of whatever names something

// An Issuer is somebody who may send tokens. Only ParseIssuers makes one that
// anything is believed of.
type Issuer struct {
	Name     string // as the tokens have it in iss
	Audience string // one of aud, by which a token is meant for us
	Source   string // the source of what it says: its own, or one that calls people by the same keys

	heard   string // the source that is heard when it sends anything: never that of another intake
	keys    []jose.JSONWebKey
	keysURL *url.URL // where its keys are; nil where they are given
}

// ParseIssuers returns who may send tokens, as a file says:
//
//	[{"issuer": "https://idp.acme.test", "audience": "https://rolecall.acme.test/events",
//	  "jwks_url": "https://idp.acme.test/keys", "source": "set:idp"}]
//
// Instead of jwks_url a file may have jwks, a JSON Web Key Set of public keys.
// Without source it is set: and the issuer's host; an issuer that calls people by
// the keys of another source, such as scim:okta, names that one. Everything that is wrong is in
// one Refusal, with where it is.
func ParseIssuers(text []byte) ([]Issuer, error) {
	value, err := intake.ReadJSON(text)
	if err != nil {
		return nil, err
	}
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, `the issuers must be a list such as [{"issuer": "https://idp.example.com", "audience": "…", "jwks_url": "https://idp.example.com/keys"}]`)
	}
	var issuers []Issuer
	f := &form{}
	for i, v := range list {
		f.path = fmt.Sprintf("[%d]", i)
		is := f.issuer(v)
		for _, other := range issuers {
			if other.Name == is.Name && is.Name != "" {
				f.blame("issuer", "%q is there twice", is.Name)
			}
		}
		issuers = append(issuers, is)
	}
	if len(f.wrong) > 0 {
		return nil, &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: f.reason(), Fields: f.wrong}
	}
	return issuers, nil
}

// A form gathers what is wrong with the file.
type form struct {
	path  string
	wrong []lifecycle.FieldError
}

func (f *form) blame(name, format string, args ...any) {
	path := f.path
	if name != "" {
		path += "." + name
	}
	f.wrong = append(f.wrong, lifecycle.FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (f *form) reason() string {
	lines := make([]string, len(f.wrong))
	for i, w := range f.wrong {
		lines[i] = w.Path + ": " + w.Message
	}
	return strings.Join(lines, "\n")
}

func (f *form) issuer(value any) Issuer {
	m, ok := value.(map[string]any)
	if !ok {
		f.blame("", "must be an object")
		return Issuer{}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch name {
		case "issuer", "audience", "source", "jwks", "jwks_url":
		default:
			f.blame(name, "is no field that is known here; there are issuer, audience, source, jwks, jwks_url")
		}
	}
	is := Issuer{
		Name:     f.text(m, "issuer", "say how the tokens name their issuer in iss"),
		Audience: f.text(m, "audience", "say what the tokens must have in aud: a token for somebody else is not for us"),
	}
	is.heard = ownSource(is.Name)
	is.Source = f.source(m, is.heard)
	if strings.HasPrefix(is.Source, ownPrefix) {
		is.heard = is.Source
	}
	f.keysOf(m, &is)
	return is
}

func (f *form) text(m map[string]any, name, why string) string {
	s, ok := m[name].(string)
	switch {
	case m[name] == nil || s == "" && ok:
		f.blame(name, "is needed: %s", why)
	case !ok:
		f.blame(name, "must be text")
	case !intake.Visible(s) || len(s) > longestName:
		f.blame(name, "must have no spaces, and at most %d characters", longestName)
		return ""
	}
	return s
}

const ownPrefix = "set:"

// ownSource returns what an issuer is called as a source of its own: by its host
// where it has one.
func ownSource(issuer string) string {
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		return ownPrefix + strings.ToLower(u.Host)
	}
	return ownPrefix + issuer
}

// source returns in whose name the issuer speaks.
func (f *form) source(m map[string]any, own string) string {
	if m["source"] == nil {
		return own
	}
	if m["source"] == "" {
		f.blame("source", "is empty; leave it out, or name a source such as set:idp")
		return ""
	}
	return f.text(m, "source", "")
}

// keysOf reads the issuer's keys, or where they are.
func (f *form) keysOf(m map[string]any, is *Issuer) {
	switch {
	case (m["jwks"] == nil) == (m["jwks_url"] == nil):
		f.blame("jwks_url", "give either where the keys are (jwks_url) or the keys (jwks)")
	case m["jwks_url"] != nil:
		u, err := parseKeysURL(f.text(m, "jwks_url", "say where the keys are"))
		if err != nil {
			f.blame("jwks_url", "%v", err)
		}
		is.keysURL = u
	default:
		text, err := json.Marshal(m["jwks"])
		if err != nil {
			f.blame("jwks", "cannot be read: %v", err)
			return
		}
		keys, wrong := readKeys(text)
		for _, err := range wrong {
			f.blame("jwks", "%v", err)
		}
		if len(keys) == 0 && len(wrong) == 0 {
			f.blame("jwks", "has no key that a token can be checked with")
		}
		is.keys = keys
	}
}

func parseKeysURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("is no URL such as https://idp.example.com/keys")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return nil, errors.New("must begin with https://, or anybody on the way could put their keys there")
	case u.User != nil || u.Fragment != "":
		return nil, errors.New("must have no user and no fragment")
	default:
		return u, nil
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
