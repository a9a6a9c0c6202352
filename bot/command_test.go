package bot_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// ask types /rolecall text as somebody, in the channel, and returns what only
// they are told.
func (h *house) ask(t testing.TB, user, text string) string {
	t.Helper()
	before := len(h.Ephemerals(user))
	out, err := h.Command(t.Context(), user, payments, bot.Command, text)
	if err != nil {
		t.Fatalf("%v\nlog: %s", err, h.log)
	}
	if out.Reply != nil {
		return out.Reply.Text
	}
	h.await(t, "an answer to "+text, func() bool { return len(h.Ephemerals(user)) > before })
	m := h.Ephemerals(user)[before]
	return m.Text + "\n" + slacktest.PlainText(m.Blocks)
}

// leave lets somebody whom the policy names leave.
func (h *house) leave(id lifecycle.IdentityID, s lifecycle.Status) {
	h.store.change(func(m *memory) {
		i := m.identities[id]
		i.Person.Status = s
		m.identities[id] = i
	})
}

func TestADigestOfWhatIsKeptOnPurposeIsEmpty(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.store.change(func(m *memory) {
		m.found = []lifecycle.Finding{{
			ID: "fnd_1", Kind: lifecycle.FoundExcess, Severity: lifecycle.SeverityHigh, Account: lifecycle.AccountCard{ID: "PBEN", Name: "Ben"},
			Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamManager), From: "manager", To: "responder", Since: today, Exception: "exc_1",
		}}
	})
	if got := h.ask(t, marco, "digest"); !strings.Contains(got, "Nothing to tell today") {
		t.Errorf("got %q", got)
	}
}

func TestWhoIsNotActiveReadsNothing(t *testing.T) {
	t.Parallel()
	const refused = "answers only people"
	for _, status := range []lifecycle.Status{lifecycle.StatusEnded, lifecycle.StatusSuspended} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			r := h.open("req_1")
			ts := h.card(t, payments, r, "")
			h.openHome(t, marco)
			h.leave("idn_marco", status)
			for _, text := range []string{"who payments", "status <@U0BEN>", "findings", "reconcile", "digest", "inbox", "status"} {
				if got := h.ask(t, marco, text); !strings.Contains(got, refused) {
					t.Errorf("%s is answered:\n%s", text, got)
				}
			}
			h.showHistory(t, marco, payments, ts)
			h.awaitTold(t, marco, "can read the story of a request")
			if _, err := h.OpenHome(t.Context(), marco); err != nil {
				t.Fatal(err)
			}
			h.await(t, "a Home tab that says nothing", func() bool { return strings.Contains(h.homeText(marco), refused) })
			if got := h.homeText(marco); strings.Contains(got, "Ben") {
				t.Errorf("the Home tab still says:\n%s", got)
			}
			h.press(t, marco, payments, ts, bot.ActionApprove)
			h.awaitTold(t, marco, "can decide this")
			if got := h.store.request(r.ID).State; got != lifecycle.Pending {
				t.Errorf("the request is %s", got)
			}
		})
	}
}

func TestCommandsAnswerPrivately(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		who, text string
		want      []string
		not       []string
	}{
		"help":                              {ben, "help", []string{"/rolecall status [who]", "/rolecall reconcile", "Show history"}, nil},
		"nothing typed is help":             {ben, "", []string{"/rolecall inbox"}, nil},
		"help is for everybody":             {guest, "help", []string{"/rolecall inbox"}, nil},
		"a typing mistake":                  {marco, "statsu @ana", []string{"I do not know `statsu`. Did you mean `/rolecall status`? For example: `/rolecall status @ana`"}, nil},
		"a beginning":                       {marco, "find", []string{"Did you mean `/rolecall findings`?"}, nil},
		"nothing near":                      {marco, "zzzzzzzz", []string{"Did you mean `/rolecall help`?"}, nil},
		"a forged mention is shown as text": {marco, "<!channel>", []string{"&lt;!channel&gt;"}, []string{"<!channel>"}},
		"own status":                        {ben, "status", []string{"*Ben* · ben@acme.test", "Responder (`limited_user`)", "*Policy says*", "payments-sre", "*Pending*", "joins Payments as responder"}, nil},
		"own status by mention":             {ben, "status <@U0BEN|ben>", []string{"*Ben*"}, nil},
		"an owner sees their people":        {marco, "status <@U0BEN|ben>", []string{"*Ben*", "Responder"}, nil},
		"an owner by address":               {marco, "status <mailto:ben@acme.test|ben@acme.test>", []string{"*Ben*"}, nil},
		"Security sees everybody":           {priya, "status omar@acme.test", []string{"*Omar*", "no PagerDuty account"}, nil},
		"Security is told of nobody":        {priya, "status zoe@acme.test", []string{"Nobody with the address zoe@acme.test is known"}, nil},
		"others' status is not for all":     {ben, "status marco@acme.test", []string{"You can see your own status"}, []string{"Responder"}},
		"nor is it said who exists":         {ben, "status zoe@acme.test", []string{"You can see your own status"}, []string{"Nobody"}},
		"nor to an owner":                   {omar, "status zoe@acme.test", []string{"You can see your own status"}, []string{"Nobody"}},
		"a bare name is nobody":             {marco, "status @ben", []string{"I cannot tell who \"@ben\" is"}, nil},
		"a team role by role":               {marco, "who payments", []string{"*Payments* · 2 people · owned by ines@acme.test, marco@acme.test", "*manager*", "• Marco · marco@acme.test", "*responder*", "• Ben"}, nil},
		"a member sees the team":            {ben, "who Payments", []string{"*Payments*"}, nil},
		"an outsider does not":              {omar, "who payments", []string{"Only owners of Payments, people who are on it, and Security"}, []string{"ben@acme.test"}},
		"a team of nobody":                  {omar, "who platform", []string{"Nobody, as of the last roll call"}, nil},
		"no such team":                      {marco, "who billing", []string{"No team of the policy is called \"billing\". There is Payments, Platform."}, nil},
		"who is a person":                   {marco, "who <@U0BEN>", []string{"*Ben*", "*Holds*"}, []string{"Pending"}},
		"who of nothing":                    {marco, "who", []string{"Say whom or which team"}, nil},
		"inbox":                             {marco, "inbox", []string{"1 request waits for you.", "Ben", "[Approve", "[Deny"}, nil},
		"an empty inbox":                    {omar, "inbox", []string{"Nothing waits for you."}, nil},
		"findings":                          {marco, "findings", []string{"1 finding", "excess", "Marco holds"}, nil},
		"findings are for owners":           {ben, "findings", []string{"Only owners of teams and Security have findings"}, nil},
		"no findings":                       {omar, "findings", []string{"No findings"}, nil},
		"a digest now":                      {marco, "digest", []string{"1 request waits for you, 1 finding about your teams", "[Approve"}, nil},
		"an empty digest":                   {omar, "digest", []string{"Nothing to tell today"}, nil},
		"reconcile is not for all":          {ben, "reconcile", []string{"Only owners of teams and Security can call the roll."}, nil},
		"a guest":                           {guest, "inbox", []string{"Guests cannot use rolecall."}, nil},
		"a stranger":                        {stranger, "status", []string{"Only members of this workspace"}, nil},
		"somebody unknown":                  {nobody, "status", []string{"Nobody with the address eve@acme.test is known"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTransport(t, func(t *testing.T, over transport) {
				h := newHouse(t, over)
				h.open("req_1")
				h.store.found = []lifecycle.Finding{{
					ID: "fnd_1", Kind: lifecycle.FoundExcess, Severity: lifecycle.SeverityMedium, From: "manager", To: "responder", Since: today,
					Account: lifecycle.AccountCard{ID: "PMARCO", Email: "marco@acme.test", Name: "Marco"}, Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamManager),
				}}
				got := h.ask(t, tt.who, tt.text)
				for _, want := range tt.want {
					if !strings.Contains(got, want) {
						t.Errorf("answer lacks %q:\n%s", want, got)
					}
				}
				for _, not := range tt.not {
					if strings.Contains(got, not) {
						t.Errorf("answer has %q:\n%s", not, got)
					}
				}
				if n := len(h.Messages(payments)); n != 0 {
					t.Errorf("%d messages in the channel, want none", n)
				}
				h.clean(t)
			})
		})
	}
}

func TestReconcileIsAskedForInSomebodysName(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		for user, by := range map[string]lifecycle.Actor{priya: "idn_priya", omar: "idn_omar"} {
			if got := h.ask(t, user, "reconcile"); !strings.Contains(got, "The roll is being called since Sat 2 May 09:00 UTC") {
				t.Errorf("answer is %q", got)
			}
			if got := <-h.rolls; got != by {
				t.Errorf("the roll is called by %s, want %s", got, by)
			}
		}
	})
}

func TestALongAnswerIsClippedAndSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	for i := range 5000 {
		h.store.found = append(h.store.found, lifecycle.Finding{
			ID: lifecycle.FindingID(fmt.Sprint("fnd_", i)), Kind: lifecycle.FoundOrphan, Since: today, Severity: lifecycle.SeverityLow,
			Account: lifecycle.AccountCard{ID: lifecycle.AccountID(fmt.Sprint("P", i)), Email: fmt.Sprintf("%d@acme.test", i), Name: strings.Repeat("*<&>", 300)},
		})
	}
	got := h.ask(t, priya, "findings")
	if !strings.Contains(got, "…and 4961 more.") { // of 5000 findings and one bar, 40 lines are shown
		t.Errorf("answer does not say what it leaves out:\n%s", got[:min(len(got), 500)])
	}
	for i := range 30 {
		h.open(lifecycle.RequestID(fmt.Sprint("req_", i)), func(r *lifecycle.Request) { r.DecideBy = today.Add(time.Hour) })
	}
	if got := h.ask(t, marco, "inbox"); !strings.Contains(got, "30 requests wait for you.") || !strings.Contains(got, "*Then* (18)") {
		t.Errorf("inbox of 30:\n%s", got)
	}
	h.clean(t)
}

func TestASlowAnswerIsAcknowledgedInTime(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		gate := make(chan struct{})
		h.Fail("users.info", slacktest.Fault{Gate: gate})
		out, err := h.Command(t.Context(), marco, payments, bot.Command, "inbox")
		if err != nil || out.Acked > time.Second {
			t.Errorf("acknowledged after %s: %v", out.Acked, err)
		}
		close(gate)
		h.awaitTold(t, marco, "Nothing waits for you.")
	})
}

func TestFindingsSayByWhomTheyAreKeptAndUntilWhen(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.store.change(func(m *memory) {
		found := func(n int, x lifecycle.ExceptionID) lifecycle.Finding {
			return lifecycle.Finding{ID: lifecycle.FindingID(fmt.Sprint("fnd_", n)), Kind: lifecycle.FoundOrphan, Since: today, Exception: x, Account: lifecycle.AccountCard{ID: "PBEN", Email: "ben@acme.test", Name: "Ben"}}
		}
		m.found = []lifecycle.Finding{found(1, "exc_1"), found(2, "exc_2")}
		m.exceptions = []lifecycle.Exception{
			{ID: "exc_1", Finding: "fnd_1", By: "marco@acme.test", Reason: "covers for <Sam>", Until: today.AddDate(0, 0, 30)},
			{ID: "exc_2", Finding: "fnd_2", By: "marco@acme.test", Reason: "long ago", Until: today.Add(-time.Hour)},
		}
	})
	got := h.ask(t, priya, "findings")
	h.hears(t, got, "Kept until 1 Jun 2026 by marco@acme.test: Covers for &lt;Sam&gt;. It comes up again then.")
	h.hears(t, got, "Was kept by an exception that has ended.")
	h.clean(t)
}
