package policy

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	people := []struct {
		about  string
		person lifecycle.Person
	}{
		{"an SRE of Payments", lifecycle.Person{Department: "Payments", Title: "SRE II", Location: "Tokyo", Employment: lifecycle.Employee}},
		{"an analyst of Payments", lifecycle.Person{Department: "Payments", Title: "Analyst", Location: "Tokyo", Employment: lifecycle.Employee}},
		{"a contractor whose country was not sent", lifecycle.Person{Employment: lifecycle.Contractor}},
		{"an owner who becomes a manager", lifecycle.Person{Emails: []string{"marco@acme.test"}, Title: "Head", Country: "JP", Employment: lifecycle.Employee}},
		{"somebody about whom nothing is known", lifecycle.Person{Country: "JP"}},
	}
	p, err := Load("testdata/explain.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, tt := range people {
		b.WriteString("# " + tt.about + "\n")
		if err := Explain(&b, p, tt.person); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden(t, "explain.golden", b.String())
}

func TestExplainSaysWhatBoundsTheRules(t *testing.T) {
	t.Parallel()
	lead := lifecycle.Person{Emails: []string{"ana@acme.test"}, Department: "Payments", Title: "Lead", Employment: lifecycle.Employee}
	with := func(change func(*lifecycle.Person)) lifecycle.Person {
		p := lead
		change(&p)
		return p
	}
	people := []struct {
		about  string
		person lifecycle.Person
	}{
		{"a contractor, capped, until their end date", with(func(p *lifecycle.Person) { p.Employment, p.EndDate = lifecycle.Contractor, "2026-05-04" })},
		{"a contractor whose end date has passed", with(func(p *lifecycle.Person) { p.Employment, p.EndDate = lifecycle.Contractor, "2026-05-03" })},
		{"a contractor whose end date was not sent", with(func(p *lifecycle.Person) { p.Employment = lifecycle.Contractor })},
		{"somebody whose employment was not sent", with(func(p *lifecycle.Person) { p.Employment = "" })},
		{"somebody with an exception, of two, that is not past", with(func(p *lifecycle.Person) { p.Emails = []string{"Dora@acme.test"} })},
		{"somebody who has left", with(func(p *lifecycle.Person) { p.Status = lifecycle.StatusEnded })},
		{"somebody to whom rules grant what nobody may hold together", with(func(p *lifecycle.Person) { p.Title = "Platform Lead" })},
	}
	p, err := Load("testdata/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p = p.At(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC))
	var b strings.Builder
	for _, tt := range people {
		b.WriteString("# " + tt.about + "\n")
		if err := Explain(&b, p, tt.person); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden(t, "bounds.golden", b.String())
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestExplainReturnsTheErrorOfTheWriter(t *testing.T) {
	t.Parallel()
	if err := Explain(fullDisk{}, example(t), lifecycle.Person{}); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func TestADurationIsSaidAsThePolicySaysIt(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{72 * time.Hour: "72h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", 30 * time.Second: "30s", time.Hour + time.Second: "1h0m1s"} {
		if got := plainly(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
