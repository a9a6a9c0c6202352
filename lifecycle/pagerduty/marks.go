package pagerduty

import (
	"slices"
	"sync"
)

const tailLength = 4

// tail returns the last four characters of a secret, which is what PagerDuty itself shows of it. Of one that is too short
// to be a key it shows nothing.
func tail(secret string) string {
	if len(secret) < 3*tailLength {
		return ""
	}
	return secret[len(secret)-tailLength:]
}

// marks is what PagerDuty's audit records show of the credentials that this client has used: the last four characters of
// keys and tokens, and the app itself. That a record's four characters are a key's is certain as far as the record goes:
// it shows no more. An app's token changes daily, and is not known any more after a restart; but a record that shows a
// token of ours names the app as well, and by that name all its other tokens are known. What PagerDuty calls an app there
// is not documented, so its client id is looked for too.
type marks struct {
	mu       sync.Mutex
	tails    []string        // newest last
	apps     map[string]bool // ids of app references
	clientID string          // "" for a key
}

func newMarks(clientID string) *marks { return &marks{apps: map[string]bool{}, clientID: clientID} }

// used tells that a call is made with the secret.
func (m *marks) used(secret string) {
	t := tail(secret)
	if t == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.tails) > 0 && m.tails[len(m.tails)-1] == t {
		return
	}
	m.tails = append(slices.DeleteFunc(m.tails, func(s string) bool { return s == t }), t)
}

// newest returns the last four characters of the secret that was used last.
func (m *marks) newest() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.tails) == 0 {
		return ""
	}
	return m.tails[len(m.tails)-1]
}

// learn takes from records with a token of ours what PagerDuty calls our app.
func (m *marks) learn(records []auditRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if m.clientID == "" || !m.token(r) {
			continue
		}
		for _, actor := range r.Actors {
			if actor.Type == refApp {
				m.apps[actor.ID] = true
			}
		}
	}
}

// made reports whether the record shows a credential of ours.
func (m *marks) made(r auditRecord) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.token(r) || m.clientID != "" && slices.ContainsFunc(r.Actors, func(actor auditRef) bool {
		return actor.Type == refApp && (m.apps[actor.ID] || actor.ID == m.clientID || actor.Summary == m.clientID)
	})
}

// token compares characters of one kind of secret only: PagerDuty shows those of keys as api_token, of apps' tokens as
// oauth, and may show either as other.
func (m *marks) token(r auditRecord) bool {
	kind := "api_token"
	if m.clientID != "" {
		kind = "oauth"
	}
	return (r.Method.Type == kind || r.Method.Type == "other") && slices.Contains(m.tails, r.Method.Token)
}
