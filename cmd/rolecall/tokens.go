package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const (
	shortestToken = 24 // characters: nobody guesses that many
	mostTokens    = 2  // of one sender: the one in use, and its successor while it is being rotated
	onlyClient    = "scim"
)

// A sender is who may use an intake, and what their tokens hash to: a token
// itself is kept nowhere.
type sender struct {
	name   string
	tokens [][sha256.Size]byte
}

// Names of SCIM clients are a part of a source's name, rosters' are the whole of it.
var (
	clientName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,31}$`)
	sourceName = regexp.MustCompile(`^[a-z0-9][a-z0-9./:-]{0,63}$`)
)

// parseSenders returns who is named in s as NAME=TOKEN, separated by spaces,
// lines or commas, in their order; a token without a name is fallback's. What is
// wrong is a Refusal that says which of them, and never what it was.
func parseSenders(s, fallback string, names *regexp.Regexp) ([]sender, error) {
	var all []sender
	for i, word := range splitWords(s) {
		name, token, named := strings.Cut(word, "=")
		if !named || strings.Trim(token, "=") == "" && len(word) >= shortestToken { // base64 may end in =
			name, token = fallback, word
		}
		if !names.MatchString(name) {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "token %d has a name before its = that is none: it has lower-case letters, digits, dots and dashes, such as okta=TOKEN", i+1)
		}
		if len(token) < shortestToken {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "token %d has %d characters; it needs at least %d: make one with openssl rand -hex 32", i+1, len(token), shortestToken)
		}
		sum := sha256.Sum256([]byte(token))
		if slices.ContainsFunc(all, func(o sender) bool { return slices.Contains(o.tokens, sum) }) {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "token %d is there twice: nobody could tell whose it is", i+1)
		}
		k := slices.IndexFunc(all, func(o sender) bool { return o.name == name })
		if k < 0 {
			k, all = len(all), append(all, sender{name: name})
		}
		if len(all[k].tokens) == mostTokens {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "%s has more than %d tokens; give one, or two while one replaces the other", name, mostTokens)
		}
		all[k].tokens = append(all[k].tokens, sum)
	}
	return all, nil
}

// parseSecretWords returns the one or two plain secrets in s.
func parseSecretWords(s string) ([]string, error) {
	words := splitWords(s)
	if len(words) > mostTokens {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "there are %d secrets; give one, or two while one replaces the other", len(words))
	}
	for i, w := range words {
		if len(w) < shortestToken {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "secret %d has %d characters; it needs at least %d: make one with openssl rand -hex 32", i+1, len(w), shortestToken)
		}
	}
	return words, nil
}

func splitWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
}

// parsed reads a secret as it is now and parses it. One that is not set is none.
func parsed[T any](s secret, parse func(string) ([]T, error)) ([]T, error) {
	text, err := s.value()
	if err == nil && text == "" && s.file != "" { // as it is for a moment while it is written; nobody has switched the door off
		err = errors.New("the secret file is empty")
	}
	if err != nil || text == "" {
		return nil, err
	}
	return parse(text)
}

// checkParsed returns what is wrong with a secret that is parsed as a whole.
func checkParsed[T any](name string, s secret, parse func(string) ([]T, error)) []string {
	if unread := s.mistakes(name); len(unread) > 0 {
		return unread
	}
	_, err := parsed(s, parse)
	if err == nil {
		return nil
	}
	why := lifecycle.ReasonOf(err)
	if why == "" {
		why = err.Error()
	}
	return []string{fmt.Sprintf("ROLECALL_%s: %s", name, why)}
}

func scimSenders(s string) ([]sender, error) { return parseSenders(s, onlyClient, clientName) }
func rosterSenders(s string) ([]sender, error) {
	senders, err := parseSenders(s, intake.SourceRoster, sourceName)
	for _, from := range senders {
		err = errors.Join(err, intake.CheckRosterSource(from.name))
	}
	return senders, err
}
