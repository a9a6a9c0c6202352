package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

func TestTokensAreReadByWhoseTheyAre(t *testing.T) {
	t.Parallel()
	a, b, c := strings.Repeat("a", shortestToken), strings.Repeat("b", shortestToken), strings.Repeat("c", shortestToken)
	for name, tt := range map[string]struct {
		text string
		want string // names and how many tokens each has
		says string
	}{
		"none":                                {text: " \n"},
		"one without a name":                  {text: a, want: "scim 1"},
		"two clients side by side":            {text: "okta=" + a + "\nentra=" + b, want: "okta 1, entra 1"},
		"two of one client while it rotates":  {text: "okta=" + a + ", okta=" + b, want: "okta 2"},
		"three of one client":                 {text: "okta=" + a + " okta=" + b + " okta=" + c, says: "okta has more than 2 tokens"},
		"the same token for two":              {text: "okta=" + a + " entra=" + a, says: "token 2 is there twice"},
		"one that anybody could guess":        {text: "okta=" + a + " entra=hunter2", says: "token 2 has 7 characters"},
		"a name in capitals":                  {text: "Okta=" + a, says: "token 1 has a name before its = that is none"},
		"a name and no token":                 {text: "okta=", says: "token 1 has 0 characters"},
		"base64 that ends in a sign of equal": {text: "A" + a + "==", want: "scim 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			senders, err := scimSenders(tt.text)
			if says := lifecycle.ReasonOf(err); !strings.Contains(says, tt.says) || (says == "") != (tt.says == "") {
				t.Fatalf("it says %q, want %q", says, tt.says)
			}
			if strings.Contains(lifecycle.ReasonOf(err), "hunter2") {
				t.Errorf("it says the token: %v", err)
			}
			var got []string
			for _, s := range senders {
				got = append(got, s.name+" "+string(rune('0'+len(s.tokens))))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// Whoever sends a roster may not be given the name of another door, nor a person's.
func TestARosterTokenNamesARostersSource(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"hr/acme=":   "",
		"scim:okta=": "what scim says does not come in rosters",
		"rolecall=":  "what rolecall says does not come in rosters",
	} {
		_, err := rosterSenders(text + strings.Repeat("a", shortestToken))
		if got := lifecycle.ReasonOf(err); !strings.HasPrefix(got, says) || (got == "") != (says == "") {
			t.Errorf("%s it says %q, want %q", text, got, says)
		}
	}
}

// While a file of secrets is written it is empty for a moment: nobody is to be told
// then that the door is off, and Okta does not send again what was answered 404.
func TestAFileThatIsEmptyIsNoDoorThatIsOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if senders, err := parsed(secret{file: path}, scimSenders); err == nil {
		t.Errorf("an empty file is %v, want an error", senders)
	}
	if senders, err := parsed(secret{}, scimSenders); err != nil || len(senders) > 0 {
		t.Errorf("what is not set is %v, %v, want nobody", senders, err)
	}
}
