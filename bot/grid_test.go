package bot

import (
	"log/slog"
	"net/http"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func TestWhoIsOfThisWorkspaceOnAGrid(t *testing.T) {
	t.Parallel()
	const us = `{"ok":true,"team_id":"T0US","user_id":"U0BOT"}`
	for name, tt := range map[string]struct {
		user, team string // what Slack says of them, and what the payload does
		stranger   bool
	}{
		"somebody of this workspace":                      {`"team_id":"T0US"`, "T0US", false},
		"somebody of the organisation who is a member":    {`"team_id":"T0HOME","enterprise_user":{"id":"W1","enterprise_id":"E1","teams":["T0HOME","T0US"]}`, "T0HOME", false},
		"somebody of the organisation who is not":         {`"team_id":"T0HOME","enterprise_user":{"id":"W1","enterprise_id":"E1","teams":["T0HOME"]}`, "T0HOME", true},
		"a member, in the name of a workspace not theirs": {`"team_id":"T0US"`, "T0OTHER", true},
		"somebody of another company":                     {`"team_id":"T0THEM","is_stranger":true,"enterprise_user":{"teams":["T0US"]}`, "T0THEM", true},
		"no workspace in the payload":                     {`"team_id":"T0US"`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript()
			s.answers["auth.test"] = []func() (*http.Response, error){answer(200, us)}
			s.answers["users.info"] = []func() (*http.Response, error){answer(200, `{"ok":true,"user":{"id":"W1",`+tt.user+`,"profile":{"email":"marco@acme.test"}}}`)}
			cfg := Config{Secrets: Secrets{BotToken: "xoxb-1"}, Client: &http.Client{Transport: s}, Store: newLedger(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			out, err := newPacedOutbox(cfg, unpaced())
			if err != nil {
				t.Fatal(err)
			}
			p := newPeople(out, cfg)
			for range 2 { // fetched, and remembered
				u, err := p.user(t.Context(), slackRef{ID: "W1", TeamID: tt.team})
				if err != nil {
					t.Fatal(err)
				}
				if u.Stranger != tt.stranger || u.ID != lifecycle.SlackID("W1") {
					t.Errorf("got %+v, want stranger %t", u, tt.stranger)
				}
			}
		})
	}
}
