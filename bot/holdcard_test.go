package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

var departments = []string{"Payments", "Platform", "Sales", "Legal", ""}

// stopped is a hold on n people of the departments, who came within five minutes.
func stopped(kind lifecycle.HoldKind, n int) (lifecycle.Hold, []lifecycle.Removal) {
	h := lifecycle.Hold{
		ID: "hld_1", Kind: kind, Revision: 1, Source: "scim:okta", State: lifecycle.HoldStands, Limit: 10, Population: 480, OpenedAt: noon, UpdatedAt: noon,
		Why: fmt.Sprintf("scim:okta sent %d notices in 24 hours, of which 3 had passed before; 10 are ordinary for 480 people", n+3),
	}
	var waiting []lifecycle.Removal
	for i := range n {
		r := lifecycle.Removal{
			Notice: lifecycle.NoticeID(fmt.Sprintf("ntc_%04d", i)), Kind: lifecycle.Leaver, Identity: lifecycle.IdentityID(fmt.Sprintf("idn_%d", i)),
			Label: fmt.Sprintf("Person %03d", i/2), Department: departments[(i*i)%len(departments)], Source: "scim:okta",
			At: noon.Add(-5 * time.Minute).Add(time.Duration(i) * 5 * time.Minute / time.Duration(max(n-1, 1))), State: lifecycle.RemovalHeld, Hold: h.ID, Joined: 1,
		}
		if kind == lifecycle.HoldMovers {
			r.Kind, r.Moved = lifecycle.Mover, "Growth"
		}
		waiting = append(waiting, r)
	}
	return h, waiting
}

func proposedBy(h lifecycle.Hold, waiting []lifecycle.Removal, by string, only ...lifecycle.NoticeID) lifecycle.Hold {
	h.State, h.Revision = lifecycle.HoldProposed, h.Revision+1
	p := lifecycle.ReleaseProposal{All: len(only) == 0, Only: only, By: by, At: noon.Add(time.Minute), Seen: len(waiting), Made: h.Revision}
	h.Proposal = &p
	h.Decisions = append(h.Decisions, lifecycle.HoldDecision{By: by, What: "propose", All: p.All, Only: only, Reason: "The reorganisation, as HR announced", At: p.At, Via: lifecycle.ViaSlack})
	return h
}

func settledBy(h lifecycle.Hold, s lifecycle.HoldState, by, reason string) lifecycle.Hold {
	what := "release"
	if s == lifecycle.HoldRefused {
		what = "refuse"
	}
	h.State, h.Revision = s, h.Revision+1
	d := lifecycle.HoldDecision{By: by, What: what, Reason: reason, At: noon.Add(2 * time.Minute), Via: lifecycle.ViaCLI}
	if h.Proposal != nil && what == "release" {
		d.All, d.Only = h.Proposal.All, h.Proposal.Only
	}
	h.Proposal = nil
	h.Decisions = append(slices.Clone(h.Decisions), d)
	return h
}

// became returns the removals, the first n of them in another state.
func became(all []lifecycle.Removal, n int, s lifecycle.RemovalState) []lifecycle.Removal {
	all = slices.Clone(all)
	for i := range n {
		all[i].State = s
	}
	return all
}

func holdCards() map[string]heldNow {
	leavers, people := stopped(lifecycle.HoldLeavers, 140)
	movers, moves := stopped(lifecycle.HoldMovers, 60)
	two := []lifecycle.NoticeID{"ntc_0001", "ntc_0002"}
	late := append(append([]lifecycle.Removal{}, people...), lifecycle.Removal{Notice: "ntc_9999", Label: "Late Lou", Department: "Legal", At: noon, Joined: 3, State: lifecycle.RemovalHeld})
	policy := lifecycle.Hold{
		ID: "hld_2", Kind: lifecycle.HoldPolicy, Revision: 1, State: lifecycle.HoldStands, Limit: 10, Population: 480, Policy: "9f2c0000aaaabbbb", OpenedAt: noon,
		Why: "37 people would lose something they hold: 30 their role on Payments, 7 their base role. 2 would gain something",
	}
	source := lifecycle.Hold{
		ID: "hld_3", Kind: lifecycle.HoldSource, Revision: 1, Source: "scim:okta", State: lifecycle.HoldStands, OpenedAt: noon,
		Why: "Okta (scim:okta) has connected: 412 people so far, 3 of whom nobody else knows",
	}
	hostile, crowd := stopped(lifecycle.HoldMovers, 5000)
	hostile.Why, hostile.Source = tooMuch(3000), tooMuch(3000)
	for i := range crowd {
		if crowd[i].Department = fmt.Sprintf("%d %s", i%300, bad); i%7 == 0 {
			crowd[i].Label, crowd[i].Department, crowd[i].Moved = tooMuch(3000), tooMuch(3000), tooMuch(3000)
		}
	}
	everybody := make([]lifecycle.NoticeID, len(crowd))
	for i, r := range crowd {
		everybody[i] = r.Notice
	}
	return map[string]heldNow{
		"leavers":          {leavers, people},
		"proposed_all":     {proposedBy(leavers, people, "marco@acme.test"), people},
		"proposed_these":   {proposedBy(leavers, people, "marco@acme.test", two...), people},
		"proposed_late":    {proposedBy(leavers, people, "marco@acme.test"), late},
		"released_all":     {settledBy(proposedBy(leavers, people, "marco@acme.test"), lifecycle.HoldReleased, "ines@acme.test", ""), became(people, 140, lifecycle.RemovalPassed)},
		"released_these":   {settledBy(proposedBy(leavers, people, "marco@acme.test", two...), lifecycle.HoldStands, "ines@acme.test", ""), became(people, 2, lifecycle.RemovalPassed)},
		"refused":          {settledBy(leavers, lifecycle.HoldRefused, "ines@acme.test", "Okta lost its department mapping"), became(people, 140, lifecycle.RemovalRefused)},
		"refused_the_rest": {settledBy(settledBy(proposedBy(leavers, people, "marco@acme.test", two...), lifecycle.HoldStands, "ines@acme.test", ""), lifecycle.HoldRefused, "ines@acme.test", "The rest is an error"), append(became(people[:2], 2, lifecycle.RemovalPassed), became(people[2:], 138, lifecycle.RemovalRefused)...)},
		"movers":           {movers, moves},
		"movers_proposed":  {proposedBy(movers, moves, "marco@acme.test"), moves},
		"policy":           {policy, nil},
		"policy_proposed":  {proposedBy(policy, nil, "marco@acme.test"), nil},
		"policy_released":  {settledBy(proposedBy(policy, nil, "marco@acme.test"), lifecycle.HoldReleased, "ines@acme.test", ""), nil},
		"policy_refused":   {settledBy(policy, lifecycle.HoldRefused, "ines@acme.test", "A slip in the selector"), nil},
		"source":           {source, nil},
		"source_started":   {settledBy(source, lifecycle.HoldReleased, "ines@acme.test", ""), nil},
		"hostile":          {hostile, crowd},
		"hostile_proposed": {proposedBy(hostile, crowd, bad, everybody...), crowd},
	}
}

func TestHoldCards(t *testing.T) {
	t.Parallel()
	for name, now := range holdCards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := now.maker(testFrame()).message()
			golden(t, "hold/"+name+".txt", read(t, m))
			golden(t, "hold/"+name+".json", encoded(t, m.Blocks))
			within(t, m)
			withinTable(t, m)
			if text := string(read(t, m)); strings.ContainsAny(text, "✅✓✔☑") {
				t.Errorf("a release is no change that was read back, and shows a tick:\n%s", text)
			}
		})
	}
}

// withinTable holds the tables of a message to Slack's limits, and to what a phone shows.
func withinTable(t *testing.T, m message) {
	t.Helper()
	for _, b := range m.Blocks {
		if table, ok := b.(*slack.TableBlock); ok && len(table.Rows) > manyGroups+2 {
			t.Errorf("a table has %d rows, want at most %d", len(table.Rows), manyGroups+2)
		}
	}
}

func TestAHoldTellsWithoutItsBlocks(t *testing.T) {
	t.Parallel()
	for name, now := range holdCards() {
		push := now.maker(testFrame()).message().Text
		wants := []string{"until two people", "until somebody of Security", "before a second person", "Released", "Refused", "Put in force", "Started", "It is not in force"}
		if !containsAny(push, wants) {
			t.Errorf("%s: push does not say where it stands: %s", name, push)
		}
		if now.h.State == lifecycle.HoldStands && !strings.Contains(push, "It never ends by itself.") {
			t.Errorf("%s: push does not say what silence does: %s", name, push)
		}
	}
}

func TestAReleaseModalHoldsAsManyAsSlackTakes(t *testing.T) {
	t.Parallel()
	for name, now := range holdCards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := now.maker(testFrame()).releaseModal(encodeMeta(encodeHold(now.h), place{"C0SECURITY", "1.2"}))
			raw, err := json.Marshal(v)
			if err != nil || len(raw) > maxViewSize {
				t.Fatalf("the view has %d bytes, want at most %d (%v)", len(raw), maxViewSize, err)
			}
			if name == "leavers" || name == "movers" || name == "policy" {
				golden(t, "modal/release_"+name+".txt", []byte(v.Title.Text+"\n\n"+readBlocks(t, v.Blocks.BlockSet)+"\n"))
			}
			refused := now.maker(testFrame()).refuseModal("x")
			if name == "leavers" || name == "policy" {
				golden(t, "modal/refuse_"+name+".txt", []byte(refused.Title.Text+"\n\n"+readBlocks(t, refused.Blocks.BlockSet)+"\n"))
			}
		})
	}
}

func TestEverybodyWhoWaitsCanBeReleasedByTheModal(t *testing.T) {
	t.Parallel()
	now := holdCards()["leavers"]
	m := now.maker(testFrame())
	offered, left := m.offers(grouped(now.all), maxOptions)
	sameCount(t, "people left out", left, 0)
	named := map[string]bool{}
	for _, g := range offered {
		for _, o := range g.Options {
			if named[o.Value] {
				t.Errorf("%s is offered twice", o.Value)
			}
			named[o.Value] = true
		}
	}
	for _, r := range now.all {
		if !named[string(r.Notice)] {
			t.Errorf("%s is not offered", r.Notice)
		}
	}
	whole := picking{seen: len(now.all)}
	for _, g := range grouped(now.all) {
		whole.values = append(whole.values, g.value())
	}
	only, err := whole.notices(now.all)
	if err != nil || len(only) != len(now.all) {
		t.Errorf("all departments together are %d people, want %d (%v)", len(only), len(now.all), err)
	}
}

func TestWhatIsPickedIsExactlyWhatWasSeen(t *testing.T) {
	t.Parallel()
	_, waiting := stopped(lifecycle.HoldLeavers, 20)
	legal := ""
	for _, g := range grouped(waiting) {
		if g.From == "Platform" {
			legal = g.value()
		}
	}
	for name, tt := range map[string]struct {
		p       picking
		want    int
		refused string
	}{
		"all":                             {picking{all: true, seen: 20}, 0, ""},
		"two by name":                     {picking{values: []string{"ntc_0001", "ntc_0002"}, seen: 20}, 2, ""},
		"one twice":                       {picking{values: []string{"ntc_0001", "ntc_0001"}, seen: 20}, 1, ""},
		"a department and one of its own": {picking{values: []string{legal, "ntc_0001"}, seen: 20}, 8, ""},
		"by name, though more have come":  {picking{values: []string{"ntc_0001"}, seen: 18}, 1, ""},
		"all, though more have come":      {picking{all: true, seen: 18}, 0, "When you opened this, 18 waited; now it is 20."},
		"a department, though fewer wait": {picking{values: []string{legal}, seen: 21}, 0, "When you opened this, 21 waited"},
		"somebody who waits no more":      {picking{values: []string{"ntc_0001", "ntc_gone"}, seen: 20}, 0, "does not wait any more"},
		"a department that is none":       {picking{values: []string{wholeGroup + "beef"}, seen: 20}, 0, "does not wait any more"},
	} {
		only, err := tt.p.notices(waiting)
		if len(only) != tt.want || tt.refused == "" && err != nil || !strings.Contains(lifecycle.ReasonOf(err), tt.refused) {
			t.Errorf("%s: %d notices, %v; want %d, %q", name, len(only), err, tt.want, tt.refused)
		}
	}
}

func BenchmarkHoldCard(b *testing.B) {
	h, waiting := stopped(lifecycle.HoldLeavers, 140)
	f := testFrame()
	for b.Loop() {
		_ = heldNow{h, waiting}.maker(f).message()
	}
}
