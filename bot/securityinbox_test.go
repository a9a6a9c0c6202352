package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// busy gives Security more of everything than a page shows.
func (d *desk) busy(holds, cases int) {
	for i := range holds {
		h, people := stopped(lifecycle.HoldLeavers, 12+i)
		h.ID, h.OpenedAt = lifecycle.HoldID(fmt.Sprintf("hld_%d", i)), noon.Add(-time.Duration(i)*time.Hour)
		for k := range people {
			people[k].Hold = h.ID
		}
		d.store.putHold(h, people)
	}
	for i := range cases {
		c := caseCards()["person"]
		c.ID, c.Label, c.OpenedAt = lifecycle.CaseID(fmt.Sprintf("cas_%d", i)), fmt.Sprintf("Person %d", i), noon.Add(-time.Duration(i)*24*time.Hour)
		d.store.putCase(c)
	}
}

func (d *desk) bot(t testing.TB) *Bot {
	t.Helper()
	cfg := d.cfg
	cfg.Sources, cfg.Planner, cfg.Secrets.SigningSecret = starter{}, &lifecycle.Planner{}, "secret"
	cfg.RollCall = func(context.Context, lifecycle.Actor) error { return nil }
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d *desk) person(name string) lifecycle.Identity {
	for _, i := range d.store.identities {
		if i.Person.Name == name {
			return i
		}
	}
	return lifecycle.Identity{}
}

func TestTheInboxOfSecurityBeginsWithWhatOnlyTheyDecide(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for i := range 40 {
		r := mover()
		r.ID, r.From = lifecycle.RequestID(fmt.Sprintf("req_%02d", i)), []lifecycle.ApproverSource{lifecycle.FromSecurity}
		d.store.put(r)
	}
	for _, tt := range []struct {
		name         string
		holds, cases int
	}{{"a little", 1, 1}, {"a lot", 7, 9}} {
		d.busy(tt.holds, tt.cases)
		m, err := d.bot(t).inbox(t.Context(), d.person("priya"), "")
		if err != nil {
			t.Fatal(err)
		}
		within(t, m)
		if tt.name == "a little" {
			golden(t, "digest/inbox_security.txt", read(t, m))
		}
		wants(t, readBlocks(t, m.Blocks), "*For Security*", "Stopped: 12 leaver notices", "[Release…] [Refuse…]", "Who is Person 0?", "[Somebody new]", "[Approve]", "*Then* (")
	}
	m, err := d.bot(t).inbox(t.Context(), d.person("priya"), "")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, m.Text, "7 things were stopped and wait, 9 questions about people wait, 40 requests wait for you.")
	wants(t, readBlocks(t, m.Blocks), "10 more wait for Security.")
	m, err = d.bot(t).inbox(t.Context(), d.person("omar"), "")
	if err != nil {
		t.Fatal(err)
	}
	if text := readBlocks(t, m.Blocks); strings.Contains(text, "Security") || strings.Contains(text, "Release") {
		t.Errorf("an owner is shown what is for Security:\n%s", text)
	}
}

func TestTheHomeOfSecurityShowsWhatOnlyTheyDecide(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	b := d.bot(t)
	home := func(name string) slack.HomeTabViewRequest {
		t.Helper()
		data, err := b.homeData(t.Context(), d.person(name))
		if err != nil {
			t.Fatal(err)
		}
		v := homeView(data)
		if n := len(v.Blocks.BlockSet); n > maxView {
			t.Errorf("%d blocks, want at most %d", n, maxView)
		}
		for _, block := range v.Blocks.BlockSet {
			if _, table := block.(*slack.TableBlock); table {
				t.Error("a Home tab takes no table")
			}
		}
		return v
	}
	wants(t, readBlocks(t, home("lee").Blocks.BlockSet), "Nothing is stopped, and no question about people waits.")
	d.busy(1, 1)
	golden(t, "home/security.txt", []byte(readBlocks(t, home("lee").Blocks.BlockSet)+"\n"))
	d.busy(9, 9)
	for i := range 60 {
		r := mover()
		r.ID, r.From = lifecycle.RequestID(fmt.Sprintf("req_%02d", i)), []lifecycle.ApproverSource{lifecycle.FromSecurity}
		d.store.put(r)
	}
	wants(t, readBlocks(t, home("lee").Blocks.BlockSet), "12 more wait for Security.", "45 more wait for you.")
	if text := readBlocks(t, home("marco").Blocks.BlockSet); strings.Contains(text, "Who is Person") || strings.Contains(text, "Stopped:") {
		t.Errorf("an owner is shown what is for Security:\n%s", text)
	}
}

func TestTheDigestOfSecurityListsWhatWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.busy(1, 3)
	o := d.out(t)
	for _, email := range []string{"lee@acme.test", "omar@acme.test"} {
		d.store.digests[email] = noon.Add(-25 * time.Hour)
		if err := o.digest(t.Context(), email); err != nil {
			t.Fatal(err)
		}
	}
	got := d.dm("U0LEE")
	sameCount(t, "digests", len(got), 1)
	wants(t, texts(got), "1 thing was stopped and waits, 3 questions about people wait", "Stopped: 12 leaver notices", "*3 questions about people wait*, the oldest since Sat 2 May 12:00 UTC", "Who is Person 2?")
	sameCount(t, "digests to an owner with nothing to say", len(d.dm("U0OMAR")), 0)
	d.clean(t)
}
