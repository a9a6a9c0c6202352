package intake

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

func whsec(n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, n))
}

func TestParseSecrets(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text   string
		want   int
		reason string
	}{
		"one is enough":                       {text: secretA, want: 1},
		"two may overlap while they rotate":   {text: secretA + " " + secretB, want: 2},
		"commas and lines separate too":       {text: secretA + ",\r\n" + secretB + "\n", want: 2},
		"padding may be left out":             {text: strings.TrimRight(secretA, "="), want: 1},
		"24 bytes are just enough":            {text: whsec(24), want: 1},
		"64 bytes are just not too many":      {text: whsec(64), want: 1},
		"23 bytes are too few":                {text: whsec(23), reason: "has 23 bytes"},
		"65 bytes are too many":               {text: whsec(65), reason: "has 65 bytes"},
		"the empty secret is none":            {text: "whsec_", reason: "has 0 bytes"},
		"nothing is no secret":                {text: " , ", reason: "there are 0"},
		"three are one too many":              {text: secretA + " " + secretB + " " + secretC, reason: "there are 3"},
		"a password is refused, however long": {text: strings.Repeat("correct-horse", 4), reason: "does not begin with whsec_"},
		"base64 must be base64":               {text: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nz!5MDE", reason: "is not base64"},
		"base64 for the web is another":       {text: "whsec_-_EyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE", reason: "is not base64"},
		"the same one twice is no rotation":   {text: secretA + " " + secretA, reason: "the same one"},
		"it says which of the two is wrong":   {text: secretA + " whsec_AAAA", reason: "secret 2 of 2 has 3 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSecrets(tt.text)
			if len(got) != tt.want {
				t.Errorf("%d secrets, want %d", len(got), tt.want)
			}
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, lifecycle.ErrInvalid) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("error %v, want one that says %q", err, tt.reason)
			}
			for _, word := range strings.FieldsFunc(tt.text, func(r rune) bool { return r == ' ' || r == ',' }) {
				if len(word) > len("whsec_") && strings.Contains(err.Error(), strings.TrimPrefix(word, "whsec_")) {
					t.Errorf("the error gives the secret away: %v", err)
				}
			}
		})
	}
}

func TestASecretCannotBePrinted(t *testing.T) {
	t.Parallel()
	s := secretsOf(t, secretA)[0]
	key := string(s.key())
	hidden := struct{ inner struct{ s Secret } }{}
	hidden.inner.s = s
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("secret", slog.Any("secret", s), slog.Any("list", []Secret{s}))
	slog.New(slog.NewTextHandler(&log, nil)).Info("secret", slog.Any("secret", s), slog.Any("hidden", hidden))
	asJSON, err := json.Marshal(map[string]any{"secret": s})
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{log.String(), string(asJSON), s.String(), s.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b", "%t", "%p", "%T"} {
		printed = append(printed, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, []Secret{s}), fmt.Sprintf(verb, hidden))
	}
	for _, text := range printed {
		for _, leak := range []string{key, secretA[6:20], fmt.Sprintf("%x", key[:8]), fmt.Sprintf("%X", key[:8]), "48 49 50", "0x30, 0x31"} {
			if strings.Contains(text, leak) {
				t.Errorf("printed the secret: %s", text)
			}
		}
	}
	if got := fmt.Sprintf("%v|%s|%d|%#v", s, s, s, s); got != "••••|••••|••••|••••" {
		t.Errorf("printed %q", got)
	}
}
