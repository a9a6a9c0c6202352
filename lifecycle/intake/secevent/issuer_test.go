package secevent

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestIssuersAreReadAsTheFileSays(t *testing.T) {
	t.Parallel()
	set := setOf(t, map[string]crypto.PublicKey{"ec": signersOf(t).ec.Public()})
	got, err := ParseIssuers([]byte(`[
		{"issuer": "https://IDP.acme.test/", "audience": "https://rolecall.acme.test/events", "jwks_url": "https://idp.acme.test/keys?v=1"},
		{"issuer": "urn:risk", "audience": "a", "source": null, "jwks": ` + set + `},
		{"issuer": "https://okta.test", "audience": "a", "source": "scim:okta", "jwks": ` + set + `},
		{"issuer": "https://soc.test", "audience": "a", "source": "set:soc", "jwks_url": "http://127.0.0.1:99/keys"}]`))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, is := range got {
		from := "its own keys"
		if is.keysURL != nil {
			from = is.keysURL.String()
		}
		said = append(said, strings.Join([]string{is.Name, is.Audience, is.Source, is.heard, from}, " "))
	}
	want := []string{
		"https://IDP.acme.test/ https://rolecall.acme.test/events set:idp.acme.test set:idp.acme.test https://idp.acme.test/keys?v=1",
		"urn:risk a set:urn:risk set:urn:risk its own keys",
		"https://okta.test a scim:okta set:okta.test its own keys",
		"https://soc.test a set:soc set:soc http://127.0.0.1:99/keys",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("issuers (-want +got):\n%s", diff)
	}
}

// jwk returns a key as a set has it.
func jwk(t *testing.T, key any, use string) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k", Use: use})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEveryMistakeInTheFileIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	k := signersOf(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := m{"keys": []any{
		jwk(t, k.rsa, ""), jwk(t, k.ed, "sig"), jwk(t, []byte("0123456789abcdef0123456789abcdef"), ""), jwk(t, p384.Public(), ""),
		m{"kty": "RSA", "kid": "short", "n": strings.Repeat("z", 171), "e": "AQAB"},
		m{"kty": "XYZ"},
		jwk(t, k.ec.Public(), "enc"),
	}}
	text, err := json.Marshal([]any{
		m{},
		m{"issuer": "https://a.test", "audience": "x y", "jwks_url": "http://a.test/keys", "jkws": 1, "soruce": 2},
		m{"issuer": "https://a.test", "audience": "a", "jwks_url": "https://a.test/keys", "jwks": m{}},
		m{"issuer": "https://b.test", "audience": 7, "source": "", "jwks": keys},
		m{"issuer": "https://c.test", "audience": "a", "jwks": m{"keys": []any{jwk(t, k.ec.Public(), "enc")}}},
		m{"issuer": "https://d.test", "audience": "a", "jwks": "keys.json"},
		m{"issuer": "https://e.test", "audience": "a", "jwks_url": "keys.json"},
		m{"issuer": "https://f.test", "audience": "a", "jwks_url": "https://u:p@f.test/keys"},
		"https://g.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseIssuers(text)
	if !strings.HasPrefix(err.Error(), lifecycle.ErrInvalid.Error()) {
		t.Fatalf("got %v", err)
	}
	got := lifecycle.ReasonOf(err) + "\n"
	for _, secret := range []string{"u:p", "0123456789abcdef"} {
		if strings.Contains(got, secret) {
			t.Errorf("the secret %q is said", secret)
		}
	}
	const golden = "testdata/issuers.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestAFileThatIsNoListIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "an empty list": "[]", "one issuer": `{"issuer":"x"}`, "a name that comes twice": `[{"issuer":"a","issuer":"b"}]`, "two lists": "[][]",
	} {
		if _, err := ParseIssuers([]byte(text)); lifecycle.ReasonOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
