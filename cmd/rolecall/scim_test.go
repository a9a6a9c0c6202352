package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

const oktaToken = "okta-token-0123456789abcdefghijklmnop"

// provision sends what an identity provider would, and returns the answer.
func (p *place) provision(token, method, path, body string, status int) map[string]any {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.listen+"/scim/v2"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/scim+json"}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		p.t.Fatalf("%s %s: status %d, want %d: %s, %v", method, path, res.StatusCode, status, answer, err)
	}
	if len(answer) == 0 {
		return nil
	}
	var is map[string]any
	if err := json.Unmarshal(answer, &is); err != nil {
		p.t.Fatalf("%s: %v", answer, err)
	}
	return is
}

// people returns everybody who is known, as the command tells.
func (p *place) people() []lifecycle.Identity {
	p.t.Helper()
	var all []lifecycle.Identity
	if err := json.Unmarshal([]byte(command(p.t, "identity", "list", "--people", "--json").exits(p.t, 0).out), &all); err != nil {
		p.t.Fatal(err)
	}
	return all
}

// An identity provider provisions, the whole way: over HTTP into who people are.
// While it is its first sync nobody is asked anything, and nobody is given
// anything; whoever ends is ended.
func TestSCIMFromTheDoorToWhoPeopleAre(t *testing.T) {
	p := settle(t, map[string]string{"SCIM_TOKEN": "okta=" + oktaToken})
	serve := p.serve()
	p.provision("not-a-token-of-anybody-at-all", http.MethodGet, "/Users", "", http.StatusUnauthorized)
	mina, _ := p.provision(oktaToken, http.MethodPost, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"mina@acme.test","displayName":"Mina Test","active":true,"password":"1mz050nq-never-kept",
		"title":"SRE II","userType":"Employee","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E-mina","department":"Payments"}}`, http.StatusCreated)["id"].(string)
	group, _ := p.provision(oktaToken, http.MethodPost, "/Groups",
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"oncall","members":[{"value":"`+mina+`"}]}`, http.StatusCreated)["id"].(string)
	wait := func(what string, so func(lifecycle.Identity) bool) {
		t.Helper()
		p.until(what, func() bool {
			return slices.ContainsFunc(p.people(), func(i lifecycle.Identity) bool { return i.Keys["scim:okta"] == mina && so(i) })
		})
	}
	wait("she is known, with her group", func(i lifecycle.Identity) bool {
		return i.Person.Department == "Payments" && i.Person.EmployeeID == "E-mina" && slices.Equal(i.Person.Groups, []string{"oncall"})
	})
	p.provision(oktaToken, http.MethodPatch, "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"displayName":"payments-oncall"}}]}`, http.StatusNoContent)
	wait("the new name of the group has come to her", func(i lifecycle.Identity) bool { return slices.Equal(i.Person.Groups, []string{"payments-oncall"}) })
	p.provision(oktaToken, http.MethodPatch, "/Users/"+mina, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}`, http.StatusOK)
	wait("she is suspended, and has not ended", func(i lifecycle.Identity) bool { return i.Person.Status == lifecycle.StatusSuspended })
	// Without an address, her status is heard still.
	p.provision(oktaToken, http.MethodPut, "/Users/"+mina, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"mina","active":true}`, http.StatusOK)
	wait("she is active again", func(i lifecycle.Identity) bool {
		return i.Person.Status == lifecycle.StatusActive && i.Person.Department == "Payments"
	})
	p.provision(oktaToken, http.MethodDelete, "/Users/"+mina, "", http.StatusNoContent)
	wait("she has ended", func(i lifecycle.Identity) bool { return i.Person.Status == lifecycle.StatusEnded })

	if cards, said := p.cards(payments, "Mina"); len(cards) > 0 {
		t.Errorf("somebody was asked during the first sync:\n%s", said)
	}
	if writes := p.pd.Writes(); len(writes) > 0 {
		t.Errorf("PagerDuty was written to: %+v", writes)
	}
	sources := command(t, "source", "list", "--json").exits(t, 0).out
	if !strings.Contains(sources, `"scim:okta"`) {
		t.Errorf("the source is not known: %s", sources)
	}
	if strings.Contains(serve.stop().err, "1mz050nq") {
		t.Error("the log has the password")
	}
	command(t, "audit", "verify").exits(t, 0)
	files, err := filepath.Glob(p.database + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of %s: %v", p.database, err)
	}
	for _, file := range files {
		kept, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"1mz050nq", oktaToken} {
			if bytes.Contains(kept, []byte(secret)) {
				t.Errorf("%s has a secret", file)
			}
		}
	}
}
