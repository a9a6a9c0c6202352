package bot

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// briefed is a desk in bubbled time whose brief is due, and that has something to say.
func briefed(t *testing.T, adjust ...func(*slacktest.Config)) *desk {
	t.Helper()
	time.Sleep(time.Until(noon)) // in bubbled time
	d := &desk{store: newLedger(), now: noon}
	sc := slacktest.Config{Now: time.Now, PublicURL: "http://slack.test"}
	for _, f := range adjust {
		f(&sc)
	}
	d.Workspace = slacktest.New(sc)
	d.populate()
	d.fill()
	d.store.tallies = tallies(91, holidays)
	for _, key := range []string{briefSent, "#team/PPAYSRE"} {
		d.store.digests[key] = time.Now().Add(-25 * time.Hour)
	}
	for i := range d.store.policy.Teams {
		d.store.policy.Teams[i].Digest = d.store.policy.Teams[i].Name == "Payments"
	}
	d.cfg = d.config(time.Now, sc.PublicURL, &http.Client{Timeout: 5 * time.Second, Transport: inProcess{d.Handler()}})
	return d
}

func (d *desk) channelsNow(t *testing.T) error {
	t.Helper()
	box, err := newOutbox(d.cfg)
	if err != nil {
		t.Fatal(err)
	}
	return newOutbound(d.cfg, box).channels(t.Context())
}

func TestSecurityIsBriefedWithThePicture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := briefed(t)
		for range 2 {
			if err := d.channelsNow(t); err != nil {
				t.Fatal(err)
			}
		}
		got := d.Messages("C0SECURITY")
		sameCount(t, "briefs", len(got), 1)
		golden(t, "digest/brief.txt", []byte("push: "+got[0].Text+"\n\n"+slacktest.PlainText(got[0].Blocks)+"\n"))
		_, id, ok := strings.Cut(string(got[0].Blocks), `"slack_file":{"id":"`)
		f, there := d.File(id[:min(len(id), strings.IndexByte(id+`"`, '"'))])
		if !ok || !there {
			t.Fatalf("it shows no picture: %s", got[0].Blocks)
		}
		if _, err := png.Decode(bytes.NewReader(f.Body)); err != nil || !strings.Contains(f.AltText, "Stale access: 31, down from 61") {
			t.Errorf("the picture says %q: %v", f.AltText, err)
		}
		team := d.Messages("C0PAYMENTS")
		sameCount(t, "digests of the team", len(team), 1)
		golden(t, "digest/team.txt", []byte("push: "+team[0].Text+"\n\n"+slacktest.PlainText(team[0].Blocks)+"\n"))
		d.clean(t)
	})
}

func TestTheBriefIsNotKeptBackForItsPicture(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		adjust  func(*slacktest.Config)
		fault   map[string]slacktest.Fault
		again   bool // it is due again
		picture bool
	}{
		"slack is still at work on it":  {adjust: func(c *slacktest.Config) { c.FileDelay = 4 * time.Second }, picture: true},
		"slack never gets done with it": {adjust: func(c *slacktest.Config) { c.FileDelay = time.Hour }},
		"the app may not upload": {adjust: func(c *slacktest.Config) {
			c.Scopes = []string{"chat:write", "im:write", "users:read", "users:read.email", "channels:history"}
		}},
		"the bytes are lost":               {fault: map[string]slacktest.Fault{"upload_url": {LostRequest: true}}},
		"the last answer is lost":          {fault: map[string]slacktest.Fault{"files.completeUploadExternal": {LostAnswer: true, Times: 1}}, picture: true},
		"slack is busy for long":           {fault: map[string]slacktest.Fault{"files.getUploadURLExternal": {RetryAfter: time.Minute, Times: 4}}, again: true},
		"slack is busy for a moment":       {fault: map[string]slacktest.Fault{"files.getUploadURLExternal": {RetryAfter: time.Second, Times: 1}}, picture: true},
		"the upload is answered with junk": {fault: map[string]slacktest.Fault{"files.getUploadURLExternal": {Status: http.StatusTeapot}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				adjust := tt.adjust
				if adjust == nil {
					adjust = func(*slacktest.Config) {}
				}
				d := briefed(t, adjust)
				for method, f := range tt.fault {
					d.Fail(method, f)
				}
				err := d.channelsNow(t)
				if (err != nil) != tt.again {
					t.Fatalf("got %v", err)
				}
				if tt.again {
					if err := d.channelsNow(t); err != nil {
						t.Fatal(err)
					}
					tt.picture = true
				}
				got := d.Messages("C0SECURITY")
				sameCount(t, "briefs", len(got), 1)
				wants(t, slacktest.PlainText(got[0].Blocks), "Stale access: 31, down from 61", "*By team*")
				if has := strings.Contains(string(got[0].Blocks), `"slack_file"`); has != tt.picture {
					t.Errorf("it shows a picture: %t", has)
				}
			})
		})
	}
}

func TestAChannelThatCannotBeReachedIsSecuritysBusiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := briefed(t)
		d.ChangeChannel("C0PAYMENTS", func(c *slacktest.Channel) { c.Archived = true })
		for range 2 {
			if err := d.channelsNow(t); err != nil {
				t.Fatal(err)
			}
		}
		sameCount(t, "alerts", len(d.store.jobs), 1)
		wants(t, d.store.jobs[0].Ref, "C0PAYMENTS", "is_archived")
	})
}

func TestABriefOfManyTeamsIsOneMessage(t *testing.T) {
	t.Parallel()
	v := briefView{frame: testFrame(), b: lifecycle.Brief{At: noon, Leavers: hostileBundle(1, 40).Findings}, trend: trendOf(tallies(91, never), noon), picture: "F0123456789"}
	for i := range 300 {
		v.b.Teams = append(v.b.Teams, lifecycle.TeamCount{Team: lifecycle.TeamPolicy{Name: fmt.Sprintf("<!channel> %d", i)}, Findings: i, Waiting: 2})
	}
	m := v.message()
	wants(t, readBlocks(t, m.Blocks), "and 285 more", "• &lt;!channel&gt; 1: 1 finding")
	if len(m.Blocks) > maxBlocks {
		t.Errorf("it has %d blocks", len(m.Blocks))
	}
}
