package bot

import (
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func testHouse() lifecycle.House {
	policy := lifecycle.Hold{ID: "hld_2", Kind: lifecycle.HoldPolicy, Policy: "9f2c0000aaaabbbb", State: lifecycle.HoldStands, OpenedAt: noon.Add(-time.Hour)}
	leavers, people := stopped(lifecycle.HoldLeavers, 140)
	asked := caseCards()["person"]
	older := asked
	older.ID, older.OpenedAt = "cas_2", noon.Add(-48*time.Hour)
	return lifecycle.House{
		At: noon, Policy: lifecycle.PolicyText{SHA256: "7c1e5a0b9dffff", At: noon.Add(-72 * time.Hour)}, Waits: &policy, Population: 480,
		Breaker: []lifecycle.Gauge{
			{Kind: lifecycle.Leaver, People: 3, Limit: 10, Window: 24 * time.Hour},
			{Kind: lifecycle.Leaver, Source: "scim:okta", People: 3, Limit: 10, Window: 24 * time.Hour},
			{Kind: lifecycle.Leaver, Source: "roster", Limit: 10, Window: 24 * time.Hour},
			{Kind: lifecycle.Mover, Limit: 48, Window: 24 * time.Hour},
		},
		Gathering: 4, Holds: []lifecycle.Standstill{{Hold: leavers, Waiting: len(people)}, {Hold: policy}}, Cases: []lifecycle.Case{asked, older},
		Sources: []lifecycle.Source{
			{Name: "hris/bamboo", LastHeard: noon.Add(-30 * time.Hour), LastFact: noon.Add(-40 * time.Hour), Silent: true},
			{Name: "scim:okta", LastHeard: noon.Add(-time.Minute), Observed: true},
		},
		RollCall: noon.Add(-2 * time.Hour), Findings: 7,
		Record: lifecycle.RecordHead{Seq: 81234, Hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}, Ghosts: noon.Add(-20 * time.Minute),
	}
}

func TestTheHouseIsToldAsItStands(t *testing.T) {
	t.Parallel()
	hostile := testHouse()
	hostile.Policy.SHA256, hostile.Sources = tooMuch(100), nil
	hostile.Breaker = nil
	for i := range 40 {
		hostile.Sources = append(hostile.Sources, lifecycle.Source{Name: tooMuch(3000), LastHeard: noon})
		hostile.Breaker = append(hostile.Breaker, lifecycle.Gauge{Kind: lifecycle.Leaver, Source: tooMuch(3000), People: i + 1})
		hostile.Holds = append(hostile.Holds, lifecycle.Standstill{Hold: lifecycle.Hold{ID: "hld_9", Kind: lifecycle.HoldSource, Source: tooMuch(3000)}})
	}
	for name, h := range map[string]lifecycle.House{"full": testHouse(), "bare": {At: noon}, "hostile": hostile} {
		f := testFrame()
		if name == "bare" {
			f.mode = lifecycle.Observe
		}
		v := houseView{f, h, "2 of 2 connections of this process; Slack counted 2 in all when it was last asked"}
		golden(t, "house/"+name+".txt", []byte(strings.Join(v.lines(), "\n")+"\n"))
		m := lines("*The house*", v.lines(), "")
		m.Blocks = withBlockIDs(m.Blocks, m.digest()[:12])
		within(t, m)
	}
}

func TestOnlySecurityIsToldOfTheHouse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.busy(1, 2)
	d.store.sources = []lifecycle.Source{{Name: "scim:okta", LastHeard: noon, Observed: true}}
	b := d.bot(t)
	for _, name := range []string{"lee", "marco", "ben"} {
		m, err := b.status(t.Context(), d.person(name), "")
		if err != nil {
			t.Fatal(err)
		}
		within(t, message{Text: m.Text, Blocks: withBlockIDs(m.Blocks, "x")})
		text := readBlocks(t, m.Blocks)
		if told := strings.Contains(text, "*Brakes*") && strings.Contains(text, "scim:okta"); told != (name == "lee") {
			t.Errorf("%s is told of the house: %v\n%s", name, told, text)
		}
	}
	about, err := b.status(t.Context(), d.person("lee"), "ben@acme.test")
	if err != nil {
		t.Fatal(err)
	}
	if text := readBlocks(t, about.Blocks); strings.Contains(text, "*Brakes*") {
		t.Errorf("who asks about somebody is told of the house:\n%s", text)
	}
}
