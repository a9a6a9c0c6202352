package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// waits are cases of how approvals are waited for.
func waits() map[string]said {
	privileged := func(s string) string { return "defaults: {privileged: " + s + "}" }
	hours := func(s string) string { return "defaults: {hours: " + s + "}" }
	return map[string]said{
		"security alone for power":           {privileged("{from: security, expire_after: 24h}"), ""},
		"power refused":                      {privileged("{mode: deny}"), ""},
		"power for nobody's word":            {privileged("{mode: auto}"), "p:5:31: defaults.privileged.mode: power over the whole account is never given without asking; let the mode be quorum"},
		"power of owners":                    {privileged("{from: [security, team-owners]}"), "p:5:31: defaults.privileged.from: only security decides about power over the whole account; leave the key out, or write security alone"},
		"power of more than there are":       {privileged("{n: 2}"), "p:5:28: defaults.privileged.n: asks 2 people to agree, and Security has 1; name more members, or a group"},
		"power of nobody":                    {privileged("{n: 0}"), "p:5:28: defaults.privileged.n: a quorum needs n of at least 1"},
		"hours of every day":                 {hours("{days: [sun, mon, tue, wed, thu, fri, sat], from: 00:00, to: 24:00}"), ""},
		"hours of one day":                   {hours("{days: sat, from: '09:00', to: \"17:30\"}"), ""},
		"hours without an end":               {hours("{from: 09:00}"), "p:5:19: defaults.hours: to is missing"},
		"hours over midnight":                {hours("{from: 22:00, to: 06:00}"), "p:5:37: defaults.hours.to: is not after 22:00; hours begin and end on the same day"},
		"hours that are none":                {hours("{from: 09:00, to: 09:00}"), "p:5:37: defaults.hours.to: is not after 09:00; hours begin and end on the same day"},
		"hours of half an hour":              {hours("{from: 09:00, to: 09:30}"), "p:5:37: defaults.hours.to: leaves less than an hour a day; what is waited for would take months"},
		"an hour of twelve":                  {hours("{from: 9am, to: 17:30}"), `p:5:26: defaults.hours.from: "9am" is not a time of day such as 09:00 or 17:30`},
		"an hour without its nought":         {hours("{from: 9:00, to: 17:30}"), `p:5:26: defaults.hours.from: "9:00" is not a time of day such as 09:00 or 17:30`},
		"an hour after the last":             {hours("{from: 09:00, to: 24:30}"), `p:5:37: defaults.hours.to: "24:30" is not a time of day such as 09:00 or 17:30`},
		"no days":                            {hours("{days: [], from: 09:00, to: 17:30}"), "p:5:26: defaults.hours.days: the list is empty; name at least one"},
		"a day twice":                        {hours("{days: [mon, mon], from: 09:00, to: 17:30}"), "p:5:32: defaults.hours.days[1]: mon is named twice"},
		"a day by its whole name":            {hours("{days: [monday], from: 09:00, to: 17:30}"), `p:5:27: defaults.hours.days[0]: "monday" is not one of mon, tue, wed, thu, fri, sat, sun (did you mean "mon"?)`},
		"nobody may ask":                     {"defaults: {requests: {off: true}}", ""},
		"what is asked for lasts no time":    {"defaults: {requests: {longest: 0s}}", "p:5:32: defaults.requests.longest: must be more than 0"},
		"what may be asked for, by its name": {"defaults: {requests: {longets: 8h}}", `p:5:23: defaults.requests.longets: unknown key (did you mean "longest"?)`},
		"managers among the approvers":       {"defaults: {approval: {from: [team-owners, team-managers, manager, security]}}", ""},
	}
}

func TestMistakesOfWaiting(t *testing.T) {
	t.Parallel()
	for name, tt := range waits() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(mistakes(t, head+tt.text), "\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestWhoIsAskedAndWhenIsRead(t *testing.T) {
	t.Parallel()
	p, err := Parse("p", []byte(`version: 1
domains: [acme.test]
defaults:
  approval: {n: 1, remind_after: 2h}
  privileged: {n: 2}
  hours: {days: [fri, mon], from: 09:00, to: 17:30}
  requests: {longest: 8h}
security: {channel: C0SEC, members: [Lee@acme.test], group: S0SEC}
teams:
  - {name: A, owners: [S0PAY, Marco@acme.test, ines@acme.test], channel: C0PAY, notify: [ines@acme.test], digest: true, timezone: Europe/Berlin}
  - {name: B, owners: S0PAY, channel: C0PAY, notify: []}
  - {name: C, owners: [omar@acme.test], notify: omar@acme.test}
`))
	if err != nil {
		t.Fatal(err)
	}
	power := standing().Defaults.Approval
	power.N, power.From, power.RemindAfter = 2, []lifecycle.ApproverSource{lifecycle.FromSecurity}, 2*time.Hour
	if diff := cmp.Diff(power, p.Defaults.Privileged); diff != "" {
		t.Errorf("approval of power (-want +got):\n%s", diff)
	}
	hours := lifecycle.Hours{Days: []time.Weekday{time.Monday, time.Friday}, From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute}
	if diff := cmp.Diff(hours, p.Defaults.Hours); diff != "" {
		t.Errorf("hours (-want +got):\n%s", diff)
	}
	if want := (lifecycle.AskPolicy{Longest: 8 * time.Hour}); p.Defaults.Ask != want {
		t.Errorf("got %+v, want %+v", p.Defaults.Ask, want)
	}
	security := lifecycle.Security{Channel: "C0SEC", Members: []string{"lee@acme.test"}, Group: "S0SEC"}
	if diff := cmp.Diff(security, p.Security); diff != "" {
		t.Errorf("security (-want +got):\n%s", diff)
	}
	teams := []lifecycle.TeamPolicy{
		{Name: "A", Owners: []string{"marco@acme.test", "ines@acme.test"}, Groups: []lifecycle.GroupID{"S0PAY"}, Channel: "C0PAY", Notify: []string{"ines@acme.test"}, Digest: true, Zone: "Europe/Berlin"},
		{Name: "B", Groups: []lifecycle.GroupID{"S0PAY"}, Channel: "C0PAY", Notify: []string{}},
		{Name: "C", Owners: []string{"omar@acme.test"}, Notify: []string{"omar@acme.test"}},
	}
	if diff := cmp.Diff(teams, p.Teams); diff != "" {
		t.Errorf("teams (-want +got):\n%s", diff)
	}
}

func TestDaysThatAreNotWrittenAreMondayToFriday(t *testing.T) {
	t.Parallel()
	p, err := Parse("p", []byte(head+"defaults: {hours: {from: 08:30, to: 24:00}}"))
	want := lifecycle.Hours{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 8*time.Hour + 30*time.Minute, To: 24 * time.Hour}
	if diff := cmp.Diff(want, p.Defaults.Hours); err != nil || diff != "" {
		t.Errorf("hours (-want +got): %v\n%s", err, diff)
	}
}
